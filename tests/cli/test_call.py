import json

import pytest
from click.testing import CliRunner

from opensip.cli import main


def call(*words):
    return CliRunner().invoke(main, ["call", *words])


@pytest.mark.parametrize("uri", ["tel:+15551234567", "no uri", "http://example.com"])
def test_what_is_no_sip_uri_is_wrong_usage(uri):
    result = call(uri)
    assert result.exit_code == 2
    assert "is no SIP URI" in result.stderr or "is no sip: or sips: URI" in result.stderr


def test_an_emergency_number_is_refused():
    result = call("sip:911@192.0.2.1")
    assert result.exit_code == 1
    assert "reaches emergency services" in result.stderr


def test_a_step_that_cannot_be_read():
    result = call("sip:a@127.0.0.1", "keys:12x")
    assert result.exit_code == 1
    assert "keys:1234" in result.stderr


def test_a_password_is_never_on_the_command_line():
    assert (
        "never in the file itself"
        in call("sip:a@127.0.0.1", "--user", "u", "--password", "p").stderr
    )
    assert "needs --password env:NAME" in call("sip:a@127.0.0.1", "--user", "u").stderr


@pytest.mark.e2e
def test_nobody_there():
    result = call("sip:a@127.0.0.1:9;transport=tcp", "--json")
    assert result.exit_code == 1
    assert "cannot connect" in result.stderr or json.loads(result.stdout.splitlines()[-1])
