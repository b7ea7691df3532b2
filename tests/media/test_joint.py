import asyncio

import numpy as np
import pytest

from opensip.events import MediaJoined
from opensip.media.accord import End
from opensip.media.joint import Joint
from opensip.media.ports import PortPool
from opensip.media.recorder import Recorder
from opensip.media.session import MediaConfig, MediaSession
from tests.fakes.engines import each_engine
from tests.fakes.parties import Notes, run, share, voice


async def never(*, vital):
    """Do not answer a re-INVITE."""
    await asyncio.Event().wait()


class Call:
    """Two of our sessions, each with a peer, in one engine."""

    def __init__(self, engine_type, *codecs, alone=False):
        loop = asyncio.get_running_loop()
        self.engine, self.notes = engine_type(loop), Notes()
        engines = [self.engine, self.engine, engine_type(loop) if alone else self.engine]
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        names = [codecs[0], codecs[0], codecs[-1], codecs[-1]]
        self.caller, self.one, self.two, self.human = (
            MediaSession(
                engine, pool, MediaConfig("127.0.0.1", codecs=name, srtp="off"), observer=self.notes
            )
            for engine, name in zip([*engines, engines[-1]], names, strict=True)
        )
        self.agree(self.caller, self.one)
        self.agree(self.two, self.human)
        self.takes = [True, True]
        self.keyed = {session: "" for session in (self.caller, self.one, self.two, self.human)}
        for session in self.keyed:
            session.on_dtmf = lambda dtmf, session=session: self.key(session, dtmf)
        self.joint = Joint(
            End(self.one, lambda: self.takes[0], never), End(self.two, lambda: self.takes[1], never)
        )

    def key(self, session, dtmf):
        self.keyed[session] += dtmf.digit

    @staticmethod
    def agree(one, other, *, change=lambda offer: offer):
        one.accept(other.answer(change(one.offer())))

    @property
    def ways(self):
        return [(note.way, note.codecs) for note in self.notes if isinstance(note, MediaJoined)]

    async def talk(self):
        """Let both say a second; tell at what power each hears the other's tone."""
        await asyncio.sleep(0.3)
        for session, hertz in ((self.caller, 400), (self.human, 700)):
            session.sink.write(voice(1, hertz, session.sink.rate))
        await asyncio.sleep(1.6)
        return power(self.human, 400) > 0.9, power(self.caller, 700) > 0.9

    async def close(self):
        for session in self.keyed:
            await session.close()
        self.joint.end()


def power(session, hertz):
    """Tell the share of a tone in the loudest half second of what a session heard."""
    frames = session.source._frames
    samples = np.concatenate([np.zeros(1, np.int16), *(frame.samples for frame in frames)])
    frames.clear()
    start = int(np.argmax(abs(samples.astype(int)) > 1000)) + session.rate // 10
    return share(samples[start : start + session.rate // 2], hertz, session.rate)


G711, WIDE = ("PCMU", "PCMA"), ("G722", "PCMU")


@each_engine
@pytest.mark.parametrize(
    ("codecs", "alone", "way"),
    [
        ((G711,), False, ("engine", "PCMU and PCMU")),
        ((G711, ("PCMA",)), False, ("engine", "PCMU and PCMA")),
        ((G711, WIDE), False, ("batches", "PCMU and G722")),
        ((WIDE,), False, ("batches", "G722 and G722")),
        ((G711,), True, ("batches", "PCMU and PCMU")),
    ],
)
def test_both_hear_each_other_in_the_way_that_their_codecs_allow(engine_type, codecs, alone, way):
    async def main():
        call = Call(engine_type, *codecs, alone=alone)
        assert await call.talk() == (True, True)
        assert call.ways == [way]
        heard = [len(session.source._frames) for session in (call.one, call.two)]
        assert heard == [0, 0]
        await call.close()

    run(main)


@each_engine
@pytest.mark.parametrize("codecs", [(G711,), (G711, WIDE), (WIDE,)])
def test_a_whisper_is_heard_over_the_other_by_one_alone(engine_type, codecs):
    async def main():
        call = Call(engine_type, *codecs)
        await asyncio.sleep(0.3)
        call.caller.sink.write(voice(1.5, 400, call.caller.sink.rate))
        await asyncio.sleep(0.5)
        call.two.sink.write(voice(0.8, 1000, call.two.sink.rate))  # to the human
        await asyncio.sleep(1.4)
        heard = np.concatenate([frame.samples for frame in call.human.source._frames])
        start, rate = int(np.argmax(abs(heard.astype(int)) > 1000)), call.human.rate
        both = heard[start + round(0.7 * rate) : start + round(1.1 * rate)]
        assert share(both, 400, rate) == pytest.approx(0.5, abs=0.1)
        assert share(both, 1000, rate) == pytest.approx(0.5, abs=0.1)
        last = heard[start + round(1.35 * rate) : start + round(1.45 * rate)]
        assert share(last, 400, rate) > 0.9  # nobody was held up
        assert power(call.caller, 1000) < 0.01
        await call.close()

    run(main)


@each_engine
def test_a_new_agreement_changes_the_way(engine_type):
    async def main():
        call = Call(engine_type, WIDE)
        for session in (call.caller, call.human):
            assert session.negotiated.codec.encoding_name == "G722"
        call.agree(call.caller, call.one, change=plain)
        call.agree(call.human, call.two, change=plain)
        assert await call.talk() == (True, True)
        call.agree(call.caller, call.one)
        assert await call.talk() == (True, True)
        assert [way for way, _ in call.ways] == ["batches", "batches", "engine", "batches"]
        assert [note.why for note in call.notes.of(MediaJoined)] == [
            "both may speak wideband",
            "the target is asked for PCMU by re-INVITE",
            "the target agreed by re-INVITE",
            "a peer has changed its codec since",
        ]
        await call.close()

    run(main)


def plain(offer):
    """Leave nothing but PCMU and its events in an offer."""
    out = []
    for line in offer.split(b"\r\n"):
        if line.startswith(b"m=audio"):
            out.append(b" ".join([*line.split()[:3], b"0"]))
        elif not line.startswith((b"a=rtpmap", b"a=fmtp")):
            out.append(line)
    return b"\r\n".join(out)


@each_engine
def test_an_agreement_that_changes_nothing_is_not_heard(engine_type):
    async def main():
        call = Call(engine_type, G711)
        await asyncio.sleep(0.3)
        call.caller.sink.write(voice(1))
        await asyncio.sleep(0.5)
        before = call.one.statistics()["playout_concealed"]
        call.agree(call.caller, call.one)
        await asyncio.sleep(0.3)
        assert call.one.statistics()["playout_concealed"] == before
        assert call.ways == [("engine", "PCMU and PCMU")]
        await call.close()

    run(main)


@each_engine
def test_keys_are_carried_where_they_are_taken(engine_type):
    async def main():
        call = Call(engine_type, G711)
        call.takes[0] = False
        call.agree(call.caller, call.one)
        assert call.joint.carries_keys(call.one)
        assert not call.joint.carries_keys(call.two)
        await asyncio.sleep(0.2)
        await call.caller.send_digits("12")
        await call.human.send_digits("3")
        await asyncio.sleep(0.5)
        assert call.keyed == {call.caller: "", call.one: "12", call.two: "3", call.human: "12"}
        call.joint.end()
        assert not call.joint.carries_keys(call.one)
        await call.close()

    run(main)


@each_engine
def test_apart_again_the_source_tells_what_is_said(engine_type):
    async def main():
        call = Call(engine_type, G711)
        await asyncio.sleep(0.2)
        call.joint.end()
        call.caller.sink.write(voice(1))
        await asyncio.sleep(1.2)
        assert power(call.one, 400) > 0.9
        assert power(call.human, 400) < 0.1
        await call.close()

    run(main)


@each_engine
def test_what_is_said_is_handed_on_where_somebody_wants_it(engine_type, tmp_path):
    async def main():
        call = Call(engine_type, G711)
        assert (call.one.stream.deaf, call.two.stream.deaf) == (True, True)
        call.one.record_to(Recorder(tmp_path / "call.wav"))
        assert (call.one.stream.deaf, call.two.stream.deaf) == (False, True)
        assert await call.talk() == (True, True)
        call.joint.end()
        assert not call.two.stream.deaf
        await call.close()

    run(main)
    both = np.frombuffer((tmp_path / "call.wav").read_bytes()[44:], "<i2").reshape(-1, 2)
    assert [np.abs(both[:, side].astype(int)).max() > 7000 for side in (0, 1)] == [True, True]
