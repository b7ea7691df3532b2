import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.audio.codecs import CODECS, FramedCodec
from opensip.audio.tones import goertzel, tone
from opensip.media.playout import PIECE, Playout
from opensip.rtp.payload import PayloadFormat

PCMU, PCMA = CODECS["PCMU"], CODECS["PCMA"]


def ramp(count):
    return (np.arange(count) * 37 % 20000 - 10000).astype(np.int16)


@given(st.lists(st.integers(0, 2 * PIECE + 7), max_size=6), st.sampled_from([80, 160, 320]))
def test_every_sample_leaves_once_in_order(sizes, count):
    playout, samples = Playout(PCMU), ramp(sum(sizes))
    at = 0
    for size in sizes:
        assert playout.write(samples[at : at + size]) == at
        at += size
    sent = b""
    while (payload := playout.take(count)) is not None:
        assert len(payload) == count
        sent += payload
        assert playout.played + playout.queued == len(samples)
    assert sent[: len(samples)] == PCMU.encode(samples)
    assert set(sent[len(samples) :]) <= {PCMU.silence}
    assert playout.played == len(samples)


def test_flush_forgets_and_leaves_positions_in_step_with_played():
    playout, emptied = Playout(PCMU), []
    playout.on_empty = lambda: emptied.append(playout.played)
    playout.write(ramp(400))
    playout.take(160)
    assert playout.flush() == 240
    assert playout.take(160) is None
    assert playout.write(ramp(100)) == playout.played == 160
    playout.take(160)
    assert emptied == [160, 260]


def test_pause_keeps_what_is_queued():
    playout = Playout(PCMU)
    playout.write(ramp(320))
    playout.paused = True
    assert playout.take(160) is None
    playout.paused = False
    assert playout.take(160) == PCMU.encode(ramp(320)[:160])
    assert (playout.played, playout.queued) == (160, 160)


@pytest.mark.parametrize("taken", [0, 160])
def test_a_changed_codec_speaks_on(taken):
    playout, samples = Playout(PCMU), ramp(480)
    playout.write(samples)
    if taken:
        playout.take(taken)
    playout.change_codec(PCMA, 160)
    payload = playout.take(160)
    heard = PCMA.decode(payload).astype(int)
    assert abs(heard - samples[taken : taken + 160]).max() < 600
    assert (playout.played, playout.queued) == (taken + 160, 320 - taken)


def test_the_caller_may_reuse_its_array():
    playout, samples = Playout(PCMU), ramp(160)
    playout.write(samples)
    expected = PCMU.encode(samples)
    samples[:] = 0
    assert playout.take(160) == expected


class Coder:
    """A codec with state: its payloads count themselves and say what is in them."""

    def __init__(self, samples, fmtp):
        self.count = 0
        self.made = samples, fmtp

    def __call__(self, samples):
        assert len(samples) == self.made[0]
        self.count += 1
        return bytes([self.count]) + samples.tobytes()


WIDE = FramedCodec(PayloadFormat("wide", 8000), 16000, Coder, lambda: None, ("numpy", "none"))


def test_a_framed_codec_gets_whole_packets():
    playout, emptied = Playout(PCMU), []
    playout.on_empty = lambda: emptied.append(playout.played)
    playout.change_codec(WIDE, 320, "x=1")
    assert playout._encode.made == (320, "x=1")
    samples = ramp(PIECE + 500)
    playout.write(samples)
    sent = []
    while (payload := playout.take(320)) is not None:
        sent.append(payload)
        assert np.array_equal(np.frombuffer(payload[1:], np.int16), playout.frame)
    heard = np.concatenate([np.frombuffer(payload[1:], np.int16) for payload in sent])
    assert np.array_equal(heard[: len(samples)], samples)
    assert not heard[len(samples) :].any()
    assert [payload[0] for payload in sent] == list(range(1, len(sent) + 1))
    assert emptied == [playout.played] == [len(samples)]
    assert playout.silence(320) == bytes([len(sent) + 1]) + bytes(640)


def test_another_rate_keeps_what_is_queued_and_where_it_stands():
    playout, sound = Playout(PCMU), tone(1000, 1.0)
    playout.write(sound)
    for _ in range(10):
        playout.take(160)
    playout.change_codec(WIDE, 320)
    assert (playout.played, playout.queued) == (3200, 12800)
    assert playout.write(ramp(10)) == 16000
    heard = [np.frombuffer(playout.take(320)[1:], np.int16) for _ in range(30)]
    assert goertzel(np.concatenate(heard), 1000, 16000) == pytest.approx(-16, abs=0.5)
    playout.change_codec(PCMA, 160)
    assert (playout.played, playout.queued) == (6400, 1605)
