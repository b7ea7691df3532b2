import json
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from opensip.cli import main
from opensip.sip.digest import Ha1


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "opensip.toml"
    path.write_text('agent_files = []\n[[sip.listeners]]\ntransport = "UDP"\nport = 0\n')
    return path


def add(config, *more):
    words = ["trunk", "add", "bandwidth", "--config", str(config), "--host", "sip.example.com"]
    words += ["--number", "+15553334444", "--agent", "echo", *more]
    return CliRunner().invoke(main, words)


def test_writes_a_trunk_that_loads_and_keeps_no_password(config):
    result = add(config, "--network", "192.0.2.10/32")
    assert result.exit_code == 0, result.stderr
    text = (config.parent / "trunks/bandwidth.toml").read_text()
    password = re.search(r"Password +(\S+)", result.stdout)[1]
    user = re.search(r"User +(\S+)", result.stdout)[1]
    assert password not in text
    ha1 = Ha1.of(user, "opensip", password)
    assert tomllib.loads(text)["users"][user] == {"md5": ha1.md5, "sha256": ha1.sha256}

    listed = CliRunner().invoke(main, ["trunk", "list", "--config", str(config), "--json"])
    [trunk] = json.loads(listed.stdout)
    assert trunk["networks"] == ["192.0.2.10/32"]
    assert trunk["numbers"] == {"+15553334444": "echo"}


def test_the_file_is_for_its_owner_alone(config):
    path = config.parent / "trunks/bandwidth.toml"
    add(config)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    add(config, "--force")
    assert path.stat().st_mode & 0o777 == 0o600


def test_prints_what_to_paste(config):
    result = add(config)
    assert "sip:+15553334444@sip.example.com:5061;transport=tls" in result.stdout
    assert "<Forward " in result.stdout
    assert 'from="{from of the webhook}"' in result.stdout
    assert "<Transfer " in result.stdout
    assert "<SipUri>" in result.stdout
    assert "Endpoint   sip:sip.example.com:5061;transport=tls" in result.stdout
    assert "addresses of its SBCs" in result.stderr


def test_takes_the_place_of_the_example_that_is_shipped(config):
    shipped = Path(__file__).parents[2] / "config/trunks/bandwidth.toml"
    path = config.parent / "trunks/bandwidth.toml"
    path.parent.mkdir()
    path.write_text(shipped.read_text())
    assert add(config).exit_code == 0
    assert "An example" not in path.read_text()


def test_does_not_write_over_a_trunk(config):
    add(config)
    again = add(config)
    assert again.exit_code == 1
    assert "is there: choose another --name" in again.stderr
    assert add(config, "--force").exit_code == 0


def test_lists_in_words(config):
    add(config, "--network", "192.0.2.10/32")
    listed = CliRunner().invoke(main, ["trunk", "list", "--config", str(config)])
    assert "bandwidth (bandwidth), srtp required, admits 192.0.2.10/32" in listed.stdout
    assert "+15553334444 -> echo" in listed.stdout


TRUNKS = [
    {"name": "a", "carrier": "generic", "registration": None, "probe": None},
    {
        "name": "b",
        "carrier": "bandwidth",
        "registration": {
            "state": "registered", "address": "sip:me@r", "registrar": "sip:r",
            "seconds_left": 77, "service_route": ["<sip:p;lr>"], "why": "",
        },
        "probe": {
            "state": "up", "said": "200 OK from UDP 192.0.2.1:5060", "milliseconds": 1.5,
            "seconds_ago": 3, "seconds_in_state": 9,
        },
    },
]  # fmt: skip


def status(config, monkeypatch, trunks, *more):
    monkeypatch.setattr("opensip.cli.trunk.ask", lambda data: {"trunks": trunks})
    return CliRunner().invoke(main, ["trunk", "status", "--config", str(config), *more])


def test_status_of_the_trunks_of_a_running_server(config, monkeypatch):
    result = status(config, monkeypatch, TRUNKS)
    assert result.exit_code == 0
    assert "neither registered nor probed" in result.stdout
    assert "registered: sip:me@r at sip:r, 77 s left, service route <sip:p;lr>" in result.stdout
    assert "up: 200 OK from UDP 192.0.2.1:5060 in 1.5 ms, 3 s ago" in result.stdout
    assert json.loads(status(config, monkeypatch, TRUNKS, "--json").stdout) == TRUNKS


def test_status_fails_where_a_trunk_does(config, monkeypatch):
    refused = TRUNKS[1]["registration"] | {"state": "refused", "why": "403 Forbidden"}
    result = status(config, monkeypatch, [TRUNKS[1] | {"registration": refused, "probe": None}])
    assert result.exit_code == 1
    assert "403 Forbidden" in result.stdout
    down = TRUNKS[1]["probe"] | {"state": "down", "said": "", "milliseconds": None}
    result = status(config, monkeypatch, [TRUNKS[1] | {"registration": None, "probe": down}])
    assert result.exit_code == 1
    assert "not asked yet" in result.stdout


def test_status_without_a_server(config):
    result = CliRunner().invoke(main, ["trunk", "status", "--config", str(config)])
    assert result.exit_code == 1
    assert "no server answers" in result.stderr
