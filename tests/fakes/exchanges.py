"""An exchange with no sockets: fake engine and ports, agents whose outcomes are written down."""

import asyncio
import json
from pathlib import Path

from opensip.agent.definition import Agent, Entry
from opensip.call.exchange import Exchange
from opensip.media.session import MediaConfig
from tests.fakes.legs import FakeSink
from tests.fakes.media_engine import FakePorts, FakeStream

AGENTS = {
    "shop": Agent("shop", directory={"desk": Entry("sip:desk@127.0.0.9:5060", "the desk")}),
    "echo": Agent("echo", kind="echo"),
}


class SoundingStream(FakeStream, FakeSink):
    """A fake stream that is a sink too."""

    def __init__(self, config):
        FakeSink.__init__(self)
        FakeStream.__init__(self, config)


class SoundingEngine:
    def __init__(self, loop):
        self.now = loop.time
        self.streams = []

    def open(self, ports, config):
        self.streams.append(SoundingStream(config))
        return self.streams[-1]


class Seats:
    """Seats the agents that are given, one a call, and keeps what each was seated with."""

    def __init__(self, *agents):
        self.left = list(agents)
        self.seated = []

    def __call__(self, definition, seat):
        self.seated.append((definition.name, seat, dict(seat.variables)))
        return self.left.pop(0)


def exchange(data: Path, *agents, port=20000, **more):
    """Make an exchange whose books are under `data`."""
    loop = asyncio.get_running_loop()
    return Exchange(
        engine=SoundingEngine(loop),
        ports=FakePorts(port=port),
        media=more.pop("media", MediaConfig("127.0.0.1")),
        agents=AGENTS,
        data=data,
        now=loop.time,
        seat=Seats(*agents),
        **more,
    )


def records(data: Path):
    """Read every record written so far."""
    return [json.loads(path.read_text()) for path in sorted((data / "calls").glob("*.json"))]


def journal(data: Path):
    """The events of the one journal."""
    (path,) = (data / "journals").iterdir()
    return [json.loads(line) for line in path.read_text().splitlines()]


def journal_kinds(data: Path):
    """The kinds of events in the one journal."""
    return [event["kind"] for event in journal(data)]
