import asyncio

import pytest
import structlog

from opensip.audio.frame import AudioFrame
from opensip.audio.tones import dtmf_tone, goertzel, tone
from opensip.media.engine import Batch, Digit
from opensip.media.hearing import MOST_AHEAD, Hearing


class Recorder:
    rate = 8000

    def __init__(self):
        self.channels = {"heard": [], "said": []}

    def heard(self, samples, *, at):
        self.channels["heard"].append((at, samples))

    def said(self, samples, *, at):
        self.channels["said"].append((at, samples))

    def flush(self, *, now):
        pass


def read(hearing):
    """Everything that a listener gets."""
    hearing.source.end()
    frames = []

    async def main():
        while (frame := await hearing.source.read()) is not None:
            frames.append(frame)

    asyncio.run(main())
    return frames


def take(hearing, at, samples=None, rate=8000, *, held=False, said_rate=8000, **more):
    frame = None if samples is None else AudioFrame(at, samples, rate, -16.0)
    hearing.take(Batch(at + 0.1, 0.1, frame, **more), said_rate=said_rate, held=held)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_what_is_heard_has_one_rate_whatever_the_codec(rate):
    hearing = Hearing(rate, print)
    take(hearing, 0.0, tone(1000, 0.1, 8000), 8000)
    take(hearing, 0.1, tone(1000, 0.1, 16000), 16000)
    take(hearing, 0.2)
    frames = read(hearing)
    assert [(f.rate, len(f.samples)) for f in frames] == [(rate, rate // 10)] * 3
    for frame in frames[:2]:
        assert goertzel(frame.samples, 1000, rate) == pytest.approx(-16.5, abs=1)
    assert not frames[2].samples.any()


def test_music_on_hold_is_silence():
    hearing = Hearing(8000, print)
    take(hearing, 0.0, tone(1000, 0.1), held=True)
    [frame] = read(hearing)
    assert not frame.samples.any()


@pytest.mark.parametrize("rate", [8000, 16000])
def test_digits_by_event_and_by_tone_at_either_rate(rate):
    keyed = []
    hearing = Hearing(rate, keyed.append, tones=True)
    take(hearing, 0.0, dtmf_tone("5"))
    take(hearing, 0.1, digits=(Digit("5", 20),))
    take(hearing, 2.0, digits=(Digit("6", 20),))
    assert [(d.digit, d.way) for d in keyed] == [("5", "inband"), ("6", "rfc4733")]


def test_a_recording_has_its_own_rate():
    hearing, recorder = Hearing(16000, print), Recorder()
    hearing.record_to(recorder)
    said = tone(500, 0.1, 16000)
    take(hearing, 0.0, tone(1000, 0.1, 16000), 16000, said=said, said_at=0.0, said_rate=16000)
    take(hearing, 0.1, tone(1000, 0.1, 8000), 8000, said=tone(500, 0.1), said_at=0.1)
    for name, frequency in (("heard", 1000), ("said", 500)):
        pieces = recorder.channels[name]
        assert [(at, len(samples)) for at, samples in pieces] == [(0.0, 800), (0.1, 800)]
        for _, samples in pieces:
            assert goertzel(samples, frequency, 8000) == pytest.approx(-16.5, abs=1)


def test_a_moment_without_anything_is_waited_for():
    hearing = Hearing(8000, print)
    hearing.take(Batch(0.02, 0.02), said_rate=8000, held=False)
    take(hearing, 0.1)
    [frame] = read(hearing)
    assert (frame.at, len(frame.samples)) == (pytest.approx(0.08), 960)


def test_a_recording_of_one_side():
    hearing, recorder = Hearing(8000, print), Recorder()
    hearing.record_to(recorder)
    take(hearing, 0.0, said=tone(500, 0.1), said_at=0.0)
    assert recorder.channels["heard"] == []
    assert len(recorder.channels["said"]) == 1


def test_who_sends_faster_than_anybody_speaks_is_heard_no_faster():
    hearing, second = Hearing(8000, print), tone(400, 1.0)
    with structlog.testing.capture_logs() as logs:
        for n in range(200):  # ten times as fast
            take(hearing, n * 0.1, second)
    heard = sum(frame.seconds for frame in read(hearing))
    assert 20 <= heard <= 20 * 1.01 + MOST_AHEAD + 2
    assert [one["event"] for one in logs] == ["sound_too_fast"]


def test_what_a_network_held_back_is_heard():
    hearing, second, heard = Hearing(8000, print), tone(400, 1.0), []
    hearing.source.put = heard.append
    for start in (0.0, 60.0, 120.0):
        for n in range(5):  # five seconds at once
            take(hearing, start + n * 0.02, second)
        for n in range(500):  # and on, by a clock that is 0.5 % too fast
            take(hearing, start + 0.1 + n * 0.1, second[:804])
    assert sum(frame.seconds for frame in heard) == pytest.approx(3 * (5 + 50.25))
