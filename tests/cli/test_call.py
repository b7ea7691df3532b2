import json
import socket
from importlib import import_module

import pytest
from click.testing import CliRunner

from opensip.cli import main
from opensip.phone.caller import CallResult


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


def test_patience_and_linger_are_the_callers(monkeypatch):
    given = []

    async def take(line, config, report, **more):
        given.append((config.patience, config.linger))
        return CallResult(200, answered=True)

    monkeypatch.setattr(import_module("opensip.cli.call"), "_call", take)
    assert call("sip:echo@127.0.0.1", "--patience", "1", "--linger", "2").exit_code == 0
    assert given == [(1.0, 2.0)]


def test_connections_leave_from_the_address_that_was_asked_for(monkeypatch):
    given = []

    async def take(line, config, report, **more):
        given.append((line.address, line.connect_from))
        return CallResult(200, answered=True)

    monkeypatch.setattr(import_module("opensip.cli.call"), "_call", take)
    call("sip:echo@127.0.0.1", "--address", "127.0.0.2")
    call("sip:echo@127.0.0.1")
    assert given == [("127.0.0.2", "127.0.0.2"), ("127.0.0.1", "")]


@pytest.mark.e2e
def test_a_port_that_nobody_has_is_told_of_in_words():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        result = call(f"sip:a@127.0.0.1:{port}", "--ring-timeout", "0.3")
    assert result.exit_code == 1
    assert f"hint=nothing answers on UDP 127.0.0.1:{port}" in result.stdout
    assert "Or try ;transport=tcp or ;transport=tls" in result.stdout


@pytest.mark.e2e
def test_nobody_there():
    result = call("sip:a@127.0.0.1:9;transport=tcp", "--json")
    assert result.exit_code == 1
    assert "cannot connect" in result.stderr or json.loads(result.stdout.splitlines()[-1])


def test_a_caller_may_stand_at_an_address_of_ipv6(monkeypatch):
    given = []

    async def take(line, config, report, **more):
        given.append((line.address, str(config.from_.uri)))
        return CallResult(200, answered=True)

    monkeypatch.setattr(import_module("opensip.cli.call"), "_call", take)
    assert call("sip:echo@[::1]", "--address", "::1").exit_code == 0
    assert given == [("::1", "sip:caller@[::1]")]
