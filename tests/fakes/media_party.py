"""A session on an engine of the tests, with its stream and what it noted."""

import asyncio
import itertools

from opensip.media.session import MediaConfig, MediaSession
from tests.fakes.media_engine import FakeEngine, FakePorts
from tests.fakes.parties import Notes


def keys(first):
    """Give random bytes that are never the same twice, and known."""
    count = itertools.count(first)
    return lambda length: bytes([next(count) % 256]) * length


class Party:
    """A session with its stream and notes."""

    def __init__(self, port=20000, **config):
        self.notes = Notes()
        engine = FakeEngine(asyncio.get_running_loop())
        config = MediaConfig("127.0.0.1", **{"srtp": "preferred", **config})
        ports = FakePorts(port=port)
        self.session = MediaSession(
            engine, ports, config, observer=self.notes, random=keys(port // 100)
        )
        (self.stream,) = engine.streams
