import numpy as np
import pytest

from opensip.audio.codecs import CODECS, FramedCodec
from opensip.audio.tones import goertzel, tone
from opensip.media.ahead import AHEAD, AT_ONCE, LIVE, WARM, Ahead, quiet_payload
from opensip.rtp.payload import PayloadFormat

COUNT = 320


class Coder:
    """Notes what it is given; a payload is the first sample and the number of the coder."""

    made = 0

    def __init__(self, count, fmtp):
        Coder.made += 1
        self.number, self.given = Coder.made, []
        coders.append(self)

    def __call__(self, samples):
        self.given.append(int(samples[0]))
        return bytes([self.number % 256, int(samples[0]) % 256])


coders = []
CODEC = FramedCodec(PayloadFormat("coder", 8000), 16000, Coder, lambda: None, ("numpy", "none"))


@pytest.fixture
def ahead():
    coders.clear()
    return Ahead(CODEC, COUNT, "")


def numbered(packets, *, first=1):
    return np.repeat(np.arange(first, first + packets), COUNT).astype(np.int16)


def take(ahead, queued=0, quiet=0, now=1.0):
    return list(ahead.packets(queued, quiet, now=now))


def test_a_long_prompt_is_encoded_bit_by_bit_and_no_further_than_ahead(ahead):
    ahead.write(numbered(500), now=0.0)
    most, go = round(AHEAD * 50), round(AT_ONCE * 50)
    queued = 0
    for _ in range(most // go):
        packets = take(ahead, queued * COUNT)
        assert len(packets) == go
        queued += go
    assert take(ahead, queued * COUNT) == []
    assert len(take(ahead, ahead.wanted_at())) == pytest.approx(5, abs=1)
    assert ahead.waiting == (500 - most - 5) * COUNT


def test_writes_need_not_be_packets(ahead):
    whole, packets = numbered(7), []
    for start in range(0, len(whole), 100):
        ahead.write(whole[start : start + 100], now=0.0)
        packets += take(ahead, len(packets) * COUNT, now=0.0)
    assert [len(samples) for samples, _ in packets] == [COUNT] * 7
    assert np.concatenate([samples for samples, _ in packets]).tobytes() == whole.tobytes()
    assert ahead.waiting == 0


def test_the_last_packet_is_filled_up_once_nobody_writes_on(ahead):
    ahead.write(numbered(2)[: COUNT + 50], now=0.0)
    assert len(take(ahead, now=0.0)) == 1
    assert ahead.wanted_at() == COUNT
    assert take(ahead, COUNT, now=LIVE / 2) == []  # somebody may
    assert take(ahead, 2 * COUNT, now=LIVE) == []  # there is time
    [(samples, _)] = take(ahead, COUNT, now=LIVE)
    assert len(samples) == 50
    assert ahead.waiting == 0


def test_what_was_written_is_the_writers_own_again(ahead):
    sound = numbered(1)
    ahead.write(sound, now=0.0)
    sound[:] = 99
    assert take(ahead)[0][0][0] == 1


def test_after_a_flush_a_coder_comes_to_where_the_peers_is(ahead):
    ahead.write(numbered(20), now=0.0)
    assert len(take(ahead)) == 20
    ahead.flush(12 * COUNT)  # eight were sent
    ahead.write(numbered(1, first=50), now=0.0)
    take(ahead)
    assert [coder.given for coder in coders[1:]] == [[4, 5, 6, 7, 8, 50]]
    ahead.write(numbered(1, first=51), now=0.0)
    take(ahead, COUNT)
    assert coders[1].given[-2:] == [50, 51]  # it is the same one


def test_after_a_flush_and_silence_too(ahead):
    ahead.write(numbered(20), now=0.0)
    take(ahead)
    ahead.flush(15 * COUNT)
    ahead.write(numbered(1, first=50), now=0.0)
    take(ahead, 0, 2)
    assert coders[1].given == [3, 4, 5, 0, 0, 50]


def test_silence_is_heard_once_and_only_before_a_packet(ahead):
    ahead.write(numbered(1), now=0.0)
    take(ahead)
    ahead.write(numbered(1, first=2)[:100], now=1.0)
    for _ in range(3):
        assert take(ahead, 0, 3, now=1.0) == []  # somebody may write on
    assert coders[0].given == [1]
    assert len(take(ahead, 0, 3, now=1.1)) == 1
    assert coders[0].given == [1, 0, 0, 0, 2]


def test_packets_that_were_filled_up_count_as_packets_in_a_flush(ahead):
    for number in range(1, 7):
        ahead.write(numbered(1, first=number)[:100], now=0.0)
        assert len(take(ahead, 0, now=1.0)) == 1
    ahead.flush(300)
    ahead.write(numbered(1, first=50), now=0.0)
    take(ahead)
    assert coders[1].given == [1, 2, 3, 50]


def test_a_flush_of_what_waits_alone_costs_no_coder(ahead):
    ahead.write(numbered(3)[:100], now=0.0)
    ahead.flush(0)
    assert ahead.waiting == 0
    ahead.write(numbered(1), now=0.0)
    take(ahead)
    assert len(coders) == 1


def test_a_coder_hears_the_silence_that_went_between(ahead):
    ahead.write(numbered(1), now=0.0)
    take(ahead)
    ahead.write(numbered(1, first=2), now=0.0)
    take(ahead, 0, 100)
    assert coders[0].given == [1, *[0] * WARM, 2]


def test_what_waits_goes_to_another_codec(ahead):
    ahead.write(numbered(3)[:500], now=0.0)
    assert ahead.rest().tobytes() == numbered(3)[:500].tobytes()
    assert ahead.waiting == 0


@pytest.mark.parametrize("name", ["G722", "opus"])
def test_no_burst_where_packets_were_never_sent(name):
    pytest.importorskip("av", reason="the extra 'codecs' is not installed")
    codec, quiet = CODECS[name], quiet_payload(CODECS[name], COUNT, "")
    ahead, sound = Ahead(codec, COUNT, ""), tone(1000, 1.0, 16000)
    ahead.write(np.concatenate([sound[: 10 * COUNT], np.zeros(10 * COUNT, np.int16)]), now=0.0)
    sent = [payload for _, payload in take(ahead)][:10]
    ahead.flush(10 * COUNT)
    ahead.write(sound[: 10 * COUNT], now=0.0)
    sent += [payload for _, payload in take(ahead)]
    ahead.flush(0)
    sent += [quiet] * 10
    ahead.write(sound[: 10 * COUNT], now=0.0)
    sent += [payload for _, payload in take(ahead, 0, 10)]
    decode = codec.decoder()
    heard = np.concatenate([decode(payload) for payload in sent])
    assert np.abs(heard.astype(int)).max() < 1.6 * sound.max()
    assert goertzel(heard[12 * COUNT : 20 * COUNT], 1000, 16000) == pytest.approx(-16, abs=1)
    assert np.abs(heard[23 * COUNT : 29 * COUNT].astype(int)).max() < 60
    assert goertzel(heard[-5 * COUNT :], 1000, 16000) == pytest.approx(-16, abs=2)
