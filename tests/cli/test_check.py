import asyncio
import importlib
import json
import shutil
import threading

import pytest
from click.testing import CliRunner

from opensip.agent import voice_activity
from opensip.agent.voice_activity import Detector
from opensip.cli import main
from opensip.cli.check import in_words
from opensip.server.control import ControlSocket
from opensip.settings.build import engine_in_use
from opensip.settings.schema import ServerTable
from tests.fakes.shop import FILE

UDP = '[[sip.listeners]]\ntransport = "UDP"\nhost = "127.0.0.1"\nport = 5060\n'
TRUNK = '[trunks.office]\nnetworks = ["192.0.2.0/24"]\n'


def check(file, *more):
    return CliRunner().invoke(main, ["check", "--config", str(file), *more])


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "opensip.toml"
    file.write_text('data = "data"\n' + UDP + TRUNK)
    return file


def test_says_what_a_good_configuration_makes(config):
    result = check(config)
    assert result.exit_code == 0
    assert "good" in result.stdout
    assert "listens   UDP 127.0.0.1:5060" in result.stdout
    assert f"engine    {engine_in_use(ServerTable())}" in result.stdout
    assert "agent     echo (echo)" in result.stdout
    assert "keys of SRTP travel in the clear" in result.stderr


def test_says_of_each_trunk_what_is_recorded_and_how(config):
    assert "PCMU PCMA; transfer by refer, then bridge; not recorded" in check(config).stdout
    plain = UDP + TRUNK + 'recording = "on"\ntransfer = "bridge"\nsrtp = "off"\n'
    config.write_text(plain)
    told = check(config).stdout
    assert "srtp off, 0 numbers" in told
    assert "transfer by bridge; recorded as wav, not encrypted" in told
    key = config.parent / "key"
    key.write_text("ab" * 32)
    numbers = '[trunks.office.numbers]\nx = "echo"\ny = { agent = "echo", recording = "off" }\n'
    config.write_text(plain + numbers + '[recording]\nkey = "file:key"\n')
    assert "1 of 2 numbers recorded as wav, encrypted" in check(config).stdout


def test_says_what_tells_voice_from_noise(config, monkeypatch):
    (config.parent / "agents").mkdir()
    shop = config.parent / "agents/shop.toml"
    shop.write_text(FILE.read_text())
    assert "shop (scripted), voice by energy (" in check(config).stdout
    shop.write_text(FILE.read_text().replace('activity = "auto"', 'activity = "silero"'))
    lacking = Detector("nowhere", ("no_such_module",))
    monkeypatch.setitem(voice_activity.DETECTORS, "silero", lacking)
    result = check(config)
    assert result.exit_code == 1
    assert "install opensip-agent[vad]" in result.stderr
    shop.write_text(FILE.read_text().replace('activity = "auto"', 'activity = "sliero"'))
    assert "voice_activity: no detector 'sliero'; known are auto, energy" in check(config).stderr


def test_for_programs(config):
    told = json.loads(check(config, "--json").stdout)
    assert told["ok"] is True
    assert len(told["warnings"]) == 1


def test_says_every_mistake_and_fails(config):
    config.write_text(UDP + '[trunks.office]\nnetworks = ["x"]\nsrpt = "off"\n')
    result = check(config)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 2


def test_an_agent_that_can_take_no_call_is_an_error(config, monkeypatch):
    (config.parent / "agents").mkdir()
    (config.parent / "agents/shop.toml").write_text(FILE.read_text())
    monkeypatch.setattr(shutil, "which", lambda name: None)
    result = check(config)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "opensip: agent shop can take no call: the embedded voice needs flite" in result.stderr


def test_live_without_a_server(config):
    result = check(config, "--live")
    assert result.exit_code == 1
    assert "no server answers on" in result.stderr


def test_live_tells_the_status(config):
    (config.parent / "data").mkdir()
    config.write_text('data = "data"\nwrong = true\n')  # asking needs nothing but the directory
    ready, done = threading.Event(), threading.Event()

    async def serve():
        control = ControlSocket(config.parent / "data", lambda: {"dialogs": 3})
        await control.start()
        ready.set()
        await asyncio.to_thread(done.wait, 5)
        await control.close()

    server = threading.Thread(target=lambda: asyncio.run(serve()))
    server.start()
    try:
        assert ready.wait(5)
        assert json.loads(check(config, "--live", "--json").stdout) == {"dialogs": 3}
        assert check(config, "--live").stdout == "dialogs        3\n"
    finally:
        done.set()
        server.join()


def test_calls_are_listed_one_a_line():
    status = {"state": "serving", "calls_in_progress": [{"seconds": 3, "trunk": "office"}]}
    assert in_words(status).splitlines() == ["state          serving", "seconds 3  trunk office"]


def test_a_wrong_data_key(config):
    config.write_text("data = 1\n")
    result = check(config, "--live")
    assert result.exit_code == 1
    assert "data: a text in quotes is wanted" in result.stderr


def test_what_the_system_lacks_for_the_calls_is_a_warning(config, monkeypatch):
    module = importlib.import_module("opensip.cli.check")
    monkeypatch.setattr(module, "shortage", lambda server: "too few files")
    done = check(config)
    assert done.exit_code == 0
    assert "warning: too few files" in done.stderr
