"""Two parties with a session and an engine each, over loopback sockets, in virtual time."""

import asyncio

import numpy as np

from opensip.audio.codecs import G711
from opensip.media.ports import PortPool
from opensip.media.session import MediaConfig, MediaSession
from tests.fakes.virtual_time_loop import VirtualTimeLoop


class Notes(list):
    note = list.append

    def of(self, kind):
        return [event for event in self if isinstance(event, kind)]


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def voice(seconds, hz=400, rate=8000):
    wave = np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)
    return (8000 * wave).astype(np.int16)


def share(samples, hz, rate=8000):
    """Tell which share of the power of samples is at `hz`."""
    wide = samples.astype(float)
    wave = np.exp(2j * np.pi * hz / rate * np.arange(len(wide)))
    return 2 * abs(np.vdot(wave, wide)) ** 2 / max(1, len(wide)) / max(1.0, float(wide @ wide))


def rounded(samples):
    """What is left of samples after G.711."""
    return G711["PCMU"].decode(G711["PCMU"].encode(samples))


class Party:
    def __init__(self, engine_type, **config):
        loop = asyncio.get_running_loop()
        self.engine, self.notes = engine_type(loop), Notes()
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        config = MediaConfig("127.0.0.1", **{"srtp": "required", **config})
        self.session = MediaSession(self.engine, pool, config, observer=self.notes)

    @property
    def counts(self):
        return self.session.statistics()

    def heard(self):
        """Take all samples heard so far."""
        frames = list(self.session._hearing.source._frames)
        self.session._hearing.source._frames.clear()
        return np.concatenate([frame.samples for frame in frames] or [np.zeros(0, np.int16)])


def connect(caller, callee, change=lambda offer: offer):
    answer = callee.session.answer(change(caller.session.offer()))
    caller.session.accept(answer)


def only(suite):
    """Change an offer so that it has one suite."""

    def change(offer):
        lines = offer.split(b"\r\n")
        kept = (
            line
            for line in lines
            if not line.startswith(b"a=crypto") or suite.encode() + b" " in line
        )
        return b"\r\n".join(kept)

    return change


def contains(heard, said):
    """Tell whether `said` is in `heard`, sample for sample."""
    whole, part = heard.tobytes(), said.tobytes()
    return part in whole
