"""A caller and a human with codecs of their own, joined: one of them is asked for G.711."""

import asyncio

import numpy as np

from opensip.events import MediaJoined
from opensip.media.accord import End
from opensip.media.joint import Joint
from opensip.media.ports import PortPool
from opensip.media.session import MediaConfig, MediaSession
from tests.fakes.parties import Notes, run

PLAIN, WIDE = ("PCMU", "PCMA"), ("G722", "PCMU", "PCMA")


class Call:
    """A caller and a human, each with a session of ours, which are joined.

    Each of both brings codecs, the human answers with its first. The one that speaks wideband takes
    `answers` to re-INVITEs, in turn: seconds until it agrees, or an error.
    """

    def __init__(self, engine_type, caller, human, *answers, ours=WIDE, change_codec=True):
        loop = asyncio.get_running_loop()
        self.engine, self.notes, self.answers = engine_type(loop), Notes(), list(answers)
        self.asked = []  # (whose session, vital)
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        self.caller, self.one, self.two, self.human = (
            MediaSession(
                self.engine,
                pool,
                MediaConfig("127.0.0.1", codecs=codecs, srtp="required", change_codec=change_codec),
                observer=self.notes,
            )
            for codecs in (caller, ours, ours, human)
        )
        self.one.on_dtmf = self.two.on_dtmf = lambda dtmf: None
        self.caller.accept(self.one.answer(self.caller.offer()))
        self.two.accept(self.human.answer(first(self.two.offer(), human[0])))
        self.before = [s.negotiated for s in (self.one, self.two)]

    def join(self):
        self.joint = Joint(
            End(self.one, lambda: True, self.reinvite(self.one, self.caller)),
            End(self.two, lambda: True, self.reinvite(self.two, self.human)),
        )

    def reinvite(self, ours, peer):
        async def reinvite(*, vital):
            self.asked.append((ours, vital))
            offer, answer = ours.offer(), self.answers.pop(0) if self.answers else 1e6
            if isinstance(answer, Exception):
                raise answer
            await asyncio.sleep(answer)
            ours.accept(peer.answer(offer))

        return reinvite

    @property
    def told(self):
        return [(note.way, note.codecs, note.why) for note in self.notes.of(MediaJoined)]

    @property
    def is_native(self):
        return self.told[-1][0] == "engine"

    async def close(self):
        self.joint.end()
        for session in (self.caller, self.one, self.two, self.human):
            await session.close()


def first(offer, name):
    """Leave only a codec of that name and events in an offer: its answerer chooses it."""
    number = {"PCMU": b"0", "PCMA": b"8", "G722": b"9"}[name]
    lines = offer.split(b"\r\n")
    [media] = [line for line in lines if line.startswith(b"m=audio")]
    kept = b" ".join([*media.split()[:3], number, b"101"])
    return offer.replace(media, kept)


def heard(session):
    frames = session.source._frames
    samples = np.concatenate([np.zeros(0, np.int16), *(frame.samples for frame in frames)])
    frames.clear()
    return samples


def longest_silence(samples, rate):
    """Tell the longest silence within a tone, in seconds."""
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 500)
    return np.max(np.diff(loud)) / rate


def with_call(engine_type, *call, **more):
    def decorate(check):
        async def main():
            it = Call(engine_type, *call, **more)
            it.join()
            await check(it)
            await it.close()

        run(main)

    return decorate
