import asyncio
import json
import threading
from ipaddress import ip_network

import pytest
from click.testing import CliRunner

from opensip.audio.tones import tone
from opensip.cli import main
from opensip.net.sip_transport import Listener
from opensip.phone.desk import Desk
from opensip.phone.line import LineConfig
from opensip.ua.admission import TrunkAdmission

LOCAL = ip_network("127.0.0.0/8")


@pytest.fixture
def config(tmp_path):
    def write(termination):
        file = tmp_path / "opensip.toml"
        file.write_text(
            f"""
data = "data"
[[sip.listeners]]
transport = "UDP"
host = "127.0.0.1"
port = 0
[media]
address = "127.0.0.1"
[log]
level = "error"
[trunks.office.outbound]
termination = "{termination}"
caller_ids = ["+19195551234"]
"""
        )
        return file

    return write


def dial(config, number, *more, trunk="office", agent="echo"):
    words = ["dial", number, "--trunk", trunk, "--agent", agent, "--config", str(config), *more]
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize("number", ["911", "+1911", "sip:911@127.0.0.1", "urn:service:sos"])
def test_emergency_numbers_are_refused(config, number):
    result = dial(config("sip:127.0.0.1:9"), number)
    assert result.exit_code == 1
    assert result.stdout.startswith("not allowed")


def test_a_trunk_that_there_is_not(config):
    result = dial(config("sip:127.0.0.1:9"), "+19195550000", trunk="ofice")
    assert result.exit_code == 1
    assert "no trunk 'ofice'; did you mean 'office'?" in result.stderr


def test_a_caller_id_of_nobody(config):
    result = dial(config("sip:127.0.0.1:9"), "+19195550000", "--caller-id", "+15550001111")
    assert result.exit_code == 1
    assert "is none of the caller_ids" in result.stdout


@pytest.mark.e2e
def test_nobody_there(config):
    result = dial(config("sip:127.0.0.1:9;transport=tcp"), "+19195550000")
    assert result.exit_code == 1
    assert result.stdout.startswith("unreachable")


class Callee(threading.Thread):
    """A desk in a loop of its own, which hangs up as soon as it has greeted, or is busy."""

    def __init__(self, *, busy):
        super().__init__()
        self.reports = []
        self.port = 0
        self._busy = busy
        self._ready = threading.Event()

    def run(self):
        asyncio.run(self._serve())

    async def _serve(self):
        done = asyncio.Event()

        def report(what, **details):
            self.reports.append((what, details))
            if what == "listening":
                self.port = details["port"]
                self._ready.set()
            if what == "answered":
                asyncio.get_running_loop().call_later(0.3, done.set)
            if what == "called" and self._busy:
                asyncio.get_running_loop().call_later(0.3, done.set)

        config = LineConfig("127.0.0.1", listeners=(Listener("TCP", "127.0.0.1", 0),))
        admitted = TrunkAdmission("any", networks=(LOCAL,))
        desk = Desk(config, admitted, speak=self._speak, report=report, busy=self._busy)
        await asyncio.wait_for(desk.serve(done), 20)

    async def _speak(self, text, rate):
        return tone(440, 0.1, rate)

    def __enter__(self):
        self.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self.join()


@pytest.mark.e2e
def test_answered(config):
    with Callee(busy=False) as callee:
        file = config(f"sip:127.0.0.1:{callee.port};transport=tcp")
        result = dial(file, "9195550000")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("answered (200)")
    assert callee.reports[1][1]["caller"] == "+19195551234"
    [record] = (file.parent / "data/calls").glob("*.json")
    told = json.loads(record.read_text())
    assert (told["direction"], told["called"]) == ("outbound", "+19195550000")


@pytest.mark.e2e
def test_busy(config):
    with Callee(busy=True) as callee:
        result = dial(config(f"sip:127.0.0.1:{callee.port};transport=tcp"), "9195550000")
    assert result.exit_code == 1
    assert result.stdout.startswith("busy (486)")
