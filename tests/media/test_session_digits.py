"""Keys of a session, in each of the ways that they come and go."""

from opensip.audio.dtmf_detector import DtmfDetector
from opensip.audio.frame import AudioFrame
from opensip.audio.tones import dtmf_tone
from opensip.events import Dtmf, MediaSourceChanged
from opensip.media.engine import Digit
from tests.fakes.legs import FakeSink
from tests.fakes.media_party import Party
from tests.fakes.parties import connect, run


def test_digits_both_ways_and_a_moved_source_are_told():
    async def main():
        party, taken = Party(), []
        party.session.on_dtmf = taken.append
        party.stream.hear(at=3.0, digits=(Digit("7", 120),), moved_to=("192.0.2.1", 9))
        assert taken == [Dtmf(3.0, "7", 120, "rfc4733")] == party.notes.of(Dtmf)
        assert party.notes.of(MediaSourceChanged) == [MediaSourceChanged(3.0, "192.0.2.1:9")]
        await party.session.send_digits("1#")
        assert party.stream.digits_sent == ["1", "#"]

    run(main)


def test_a_press_that_comes_in_three_ways_is_told_once():
    async def main():
        party, taken = Party(hear_tones=True), []
        party.session.on_dtmf = taken.append
        tone = AudioFrame(1.0, dtmf_tone("7"), 8000, -10.0)
        party.stream.hear(tone)
        party.stream.hear(at=1.2, digits=(Digit("7", 20),))
        party.session.take_info("7", 160)
        party.session.take_info("8", 160)
        assert [(dtmf.digit, dtmf.way) for dtmf in taken] == [("7", "inband"), ("8", "info")]
        assert taken == party.notes.of(Dtmf)

    run(main)


def test_tones_are_sent_as_sound():
    async def main():
        caller, callee = Party(20000), Party(30000)
        assert not caller.session.takes_events
        connect(caller, callee)
        assert caller.session.takes_events
        sink = caller.session._sink = FakeSink()
        await caller.session.send_tones("5#")
        [(_, sound)] = sink.written
        assert "".join(tone.digit for tone in DtmfDetector().push(sound)) == "5#"
        assert not sink.queued()

    run(main)
