"""A whole server in the test's own loop, called by a phone over loopback sockets."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from datetime import UTC, datetime

import pytest
import structlog

from opensip.agent import toolbox
from opensip.call.journal import Journal
from opensip.errors import ConfigError, OpenSipError
from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.net.tls_probe import shake_hands
from opensip.phone.caller import Caller, CallerConfig
from opensip.phone.line import Line, LineConfig
from opensip.phone.script import Tone, Wait
from opensip.server.server import Server
from opensip.settings.load import load
from opensip.sip.uri import NameAddr, Uri
from tests.fakes.certificates import authority
from tests.fakes.shop import FILE
from tests.fakes.stir import stir

__all__ = ["authority", "stir"]

pytestmark = pytest.mark.e2e

CONFIG = """
data = "data"
[[sip.listeners]]
transport = "UDP"
host = "127.0.0.1"
port = 0
[media]
address = "127.0.0.1"
first_port = 31000
last_port = 31998
[calls]
drain_seconds = 1.0
[log]
level = "warning"
[trunks.local]
networks = ["127.0.0.0/8"]
recording = "on"
[trunks.local.numbers]
echo = "echo"
"""


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "opensip.toml"
    file.write_text(CONFIG)
    return file


@contextlib.asynccontextmanager
async def serving(config, *, stopping=True):
    """Run a server; `stopping` ends it and its calls at once on the way out."""
    server = Server(load(config))
    running = asyncio.create_task(server.run())
    starting = asyncio.create_task(server.started.wait())
    await asyncio.wait((running, starting), return_when=asyncio.FIRST_COMPLETED)
    starting.cancel()
    try:
        yield server
    finally:
        if stopping:
            server.stop()
            server.stop()
        await running


async def until(server, calls):
    """Wait until as many calls are in progress."""
    for _ in range(1000):
        if server.status()["calls"] == len(server.status()["calls_in_progress"]) == calls:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"there were never {calls} calls")


class Reports(list):
    def __call__(self, what, **details):
        self.append((what, details))


async def no_voice(text, rate):
    raise AssertionError("nothing is to be said")


async def call(server, *steps, number="echo"):
    _, host, port = server.endpoint.bound[0]
    to = Uri.parse(f"sip:{number}@{host}:{port}")
    line = LineConfig("127.0.0.1", listeners=(Listener("UDP", "127.0.0.1", 0),))
    config = CallerConfig(
        to,
        NameAddr.parse("<sip:+15551112222@127.0.0.1>"),
        steps,
        patience=0.3,
        longest=0.2,
        linger=0.1,
    )
    reports = Reports()
    async with Line(line) as open_line:
        result = await Caller(open_line, config, speak=no_voice, report=reports).run()
    return result, reports


def run(main):
    return asyncio.run(asyncio.wait_for(main, 20))


def test_a_call_is_answered_echoed_and_recorded(config):
    async def main():
        async with serving(config) as server:
            before = server.status()
            result, reports = await call(server, Tone(440, 0.4))
            await until(server, calls=0)
            return before, result, reports, server.status()

    before, result, reports, after = run(main())
    assert result.answered
    assert [what for what, _ in reports if what == "heard_answer"]
    assert (before["state"], before["calls"], before["ports"]) == ("serving", 0, 0)
    assert (after["calls"], after["ports"], after["dialogs"]) == (0, 0, 0)
    [record] = (config.parent / "data/calls").glob("*.json")
    told = json.loads(record.read_text())
    assert (told["trunk"], told["agent"], told["caller"]) == ("local", "echo", "+15551112222")
    assert (config.parent / "data/recordings" / f"{record.stem}.wav").stat().st_size > 4000


def test_a_call_that_a_crash_cut_off_has_its_record_once_the_server_is_back(config):
    async def main():
        started = datetime(2026, 11, 20, tzinfo=UTC)
        path = config.parent / "data/journals/c-1.jsonl"
        Journal(path, "c-1", opened=0.0, started=started).close()
        async with serving(config):
            record = json.loads((config.parent / "data/calls/c-1.json").read_text())
            assert record["ending"]["side"] == "lost"

    run(main())


def test_status_lists_the_calls_in_progress(config):
    async def main():
        async with serving(config) as server:
            calling = asyncio.create_task(call(server, Wait(0.3)))
            await until(server, calls=1)
            status = server.status()
            await calling
            return status

    [told] = run(main())["calls_in_progress"]
    assert told["call_id"].startswith("c-")
    assert (told["trunk"], told["caller"], told["called"]) == ("local", "+15551112222", "echo")


def test_a_number_that_leads_nowhere_is_404_until_a_reload_knows_it(config):
    async def main():
        async with serving(config) as server:
            first, _ = await call(server, number="tone")
            config.write_text(CONFIG + 'tone = "tone"\n')
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0.05)
            second, _ = await call(server, number="tone")
            config.write_text("wrong = true")
            server.reload()
            third, _ = await call(server, number="tone")
            return first.status, second.status, third.status

    assert run(main()) == (404, 200, 200)


def test_a_reload_tells_what_wants_a_restart(config, monkeypatch):
    monkeypatch.setenv("MASTER", "ab" * 32)

    async def main():
        async with serving(config) as server:
            with structlog.testing.capture_logs() as logs:
                server.reload()
                config.write_text(CONFIG + '[recording]\nkey = "env:MASTER"\n[abuse]\nburst = 50\n')
                server.reload()
            return [log for log in logs if log["event"] == "restart_needed"]

    [told] = run(main())
    assert (told["log_level"], told["changed"]) == ("warning", ["abuse", "recording"])


def test_a_reload_that_makes_an_agent_unable_changes_nothing(config, monkeypatch):
    agent = config.parent / "agents/shop.toml"
    agent.parent.mkdir()
    agent.write_text(FILE.read_text())

    async def main():
        async with serving(config) as server:
            config.write_text(CONFIG + 'tone = "tone"\n')
            agent.write_text(FILE.read_text().replace('"rms"', '"bob"'))
            with structlog.testing.capture_logs() as logs:
                server.reload()
                agent.write_text(FILE.read_text())
                monkeypatch.setattr(shutil, "which", lambda name: None)
                server.reload()
            result, _ = await call(server, number="tone")
            return [(log["event"], log["mistake"]) for log in logs], result.status

    told, status = run(main())
    assert [event for event, _ in told] == ["reload_refused", "reload_refused"]
    assert "voice: flite has no 'bob'" in told[0][1]
    assert "agent shop can take no call: the embedded voice needs flite" in told[1][1]
    assert status == 404


def test_a_broken_file_of_tools_leaves_calls_the_one_before(config):
    folder = config.parent / "agents"
    folder.mkdir()
    (folder / "ada.toml").write_text(
        'kind = "model"\npersona = "You are Ada."\nrecognizer = ["main"]\ndialogue = ["main"]\n'
        'synthesizer = ["scripted"]\n[providers.main]\nbase_url = "http://127.0.0.1:1/v1"\n'
        'recognizer_model = "e"\ndialogue_model = "m"\n[tools.find]\nfile = "tools.py"\n'
    )
    good = 'def find() -> str:\n    """Find."""\n    return "a lamp"\n'
    (folder / "tools.py").write_text(good)

    async def main():
        async with serving(config) as server:
            (folder / "tools.py").write_text("def find(:")
            with structlog.testing.capture_logs() as logs:
                server.reload()
            return logs, toolbox.tools_of(server._agents["ada"])

    [log], tools = run(main())
    assert log["event"] == "reload_refused"
    assert "tools.find.file:" in log["mistake"]
    assert "SyntaxError" in log["mistake"]
    assert tools[0].description == "Find."


def test_a_server_begins_with_an_agent_that_is_unable_and_says_so(config, monkeypatch):
    (config.parent / "agents").mkdir()
    (config.parent / "agents/shop.toml").write_text(FILE.read_text())
    monkeypatch.setattr(shutil, "which", lambda name: None)

    async def main():
        with structlog.testing.capture_logs() as logs:
            async with serving(config) as server:
                server.reload()  # it was so before
                return logs, (await call(server))[0].status

    logs, status = run(main())
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["agent_unable"] * 2
    assert status == 200


def test_a_reload_takes_the_roots_of_signers(config, stir):
    async def main():
        async with serving(config) as server:
            (config.parent / "roots.pem").write_bytes(stir.pem)
            config.write_text(
                CONFIG.replace("[trunks.local]", '[trunks.local]\nidentity = "enforce"')
                + '[identity]\nanchors = "roots.pem"\n'
            )
            server.reload()
            refused, _ = await call(server)
            (config.parent / "roots.pem").write_text("")
            server.reload()
            still, _ = await call(server)
            return refused.status, still.status

    assert run(main()) == (428, 428)


def test_draining_refuses_new_calls_and_lets_old_ones_end(config):
    async def main():
        async with serving(config, stopping=False) as server:
            calling = asyncio.create_task(call(server, Wait(0.1)))
            await until(server, calls=1)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.05)
            refused, _ = await call(server)
            kept, _ = await calling
        return refused.status, kept.ended_by, server.status()["state"]

    assert run(main()) == (503, "local", "draining")


def test_calls_that_do_not_end_are_ended_at_the_deadline(config):
    async def main():
        async with serving(config, stopping=False) as server:
            calling = asyncio.create_task(call(server, Wait(5)))
            await until(server, calls=1)
            server.stop()
        result, _ = await calling
        return result.ended_by

    assert run(main()) == "remote"


def test_a_port_in_use_is_said_in_words(config):
    async def main():
        async with serving(config) as server:
            _, _, port = server.endpoint.bound[0]
            text = CONFIG.replace("port = 0", f"port = {port}").replace('"data"', '"other"')
            config.write_text(text)
            with pytest.raises(ConfigError, match="another program holds it"):
                await Server(load(config)).run()

    run(main())


def test_reload_shows_a_new_certificate(tmp_path, authority):
    old, new = authority.sign("old.example"), authority.sign("new.example")
    for what in ("certificate", "key"):
        (tmp_path / what).write_bytes(getattr(old, what).read_bytes())
    file = tmp_path / "opensip.toml"
    tls = '[tls]\ncertificate = "certificate"\nkey = "key"\n'
    file.write_text(CONFIG.replace('"UDP"', '"TLS"').replace("[media]", tls + "[media]"))

    async def shown(server):
        _, host, port = server.endpoint.bound[0]
        trust = TlsConfig(ca=authority.ca)
        for name in ("old.example", "new.example"):
            with contextlib.suppress(OpenSipError):
                await shake_hands(host, port, trust, name, within=2)
                return name
        return None

    async def main():
        async with serving(file) as server:
            before = await shown(server)
            for what in ("certificate", "key"):
                (tmp_path / what).write_bytes(getattr(new, what).read_bytes())
            server.reload()
            after = await shown(server)
            (tmp_path / "key").write_bytes(b"nothing")
            server.reload()
            return before, after, await shown(server), server.status()["trunks"][0]["name"]

    assert run(main()) == ("old.example", "new.example", "new.example", "local")
