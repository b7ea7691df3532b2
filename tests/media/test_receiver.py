import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensip.audio.codecs import CODECS, FramedCodec
from opensip.errors import RemoteProtocolError
from opensip.media.engine import Digit, SrtpKeys, StreamConfig
from opensip.media.receiver import HOLD_TICKS, Receiver, decode
from opensip.media.sender import Sender
from opensip.rtp.packet import RtpPacket
from opensip.rtp.payload import PayloadFormat
from opensip.rtp.srtp import SrtpSession
from opensip.rtp.telephone_event import DIGITS, TelephoneEvent, TelephoneEventSender

PEER = ("192.0.2.1", 4000)
FORMATS = ((0, "PCMU"), (8, "PCMA"), (101, "telephone-event"))
PLAIN = StreamConfig(remote=PEER, receive=FORMATS, symmetric=False)
SUITE, KEY, OTHER_KEY = "AES_CM_128_HMAC_SHA1_80", b"k" * 30, b"o" * 30
SECURE = StreamConfig(remote=PEER, receive=FORMATS, keys=SrtpKeys(SUITE, KEY, KEY))


def receiver(config=PLAIN):
    made = Receiver()
    made.configure(config)
    return made


def code(n):
    """The payload of packet `n`: 20 ms of one sample value, which tells it from the others."""
    return bytes((0x80 + n % 64,)) * 160


def packet(n, **changes):
    fields = {"payload_type": 0, "sequence": n & 0xFFFF, "timestamp": 160 * n, "ssrc": 7}
    return RtpPacket(**{**fields, "payload": code(n), **changes}).serialize()


def heard(made):
    """Take what was heard as a list of packet numbers; None is a packet time of silence."""
    decode([made])
    frame = made.take_heard()
    if frame is None:
        return []
    values = {CODECS["PCMU"].decode(code(n))[0]: n for n in range(64)}
    return [values.get(block[0]) for block in frame.samples.reshape(-1, 160)]


def test_in_order_at_once():
    made = receiver()
    for n in range(3):
        made.receive(packet(n), PEER, now=n * 0.02)
        assert heard(made) == [n]
    assert made.last_received == 0.04


def test_reordered_packets_are_put_right_and_duplicates_dropped():
    made = receiver()
    for n in (0, 2, 2, 1, 1, 3):
        made.receive(packet(n), PEER, now=0.0)
    assert heard(made) == [0, 1, 2, 3]
    counts = made.statistics()
    assert (counts["received"], counts["duplicate"] + counts["late"]) == (6, 2)


def test_a_loss_is_waited_for_40_ms_and_becomes_silence():
    made = receiver()
    made.receive(packet(0), PEER, now=0.0)
    made.receive(packet(2), PEER, now=0.04)
    assert heard(made) == [0]
    made.tick(0.06)
    assert heard(made) == []
    made.receive(packet(3), PEER, now=0.061)
    made.tick(0.08)
    assert heard(made) == [2, 3]  # the gap lies before this batch: `at` tells
    for n in (4, 6):
        made.receive(packet(n), PEER, now=0.1)
    made.tick(0.14)
    assert heard(made) == [4, None, 6]
    assert made.statistics()["lost"] == 2


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.floats(0, 0.3))
def test_random_loss_never_stalls(seed, loss):
    dice, made, kept = random.Random(seed), receiver(), []
    taken = []
    for n in range(60):
        if n == 0 or dice.random() >= loss:
            kept.append(n)
            made.receive(packet(n), PEER, now=n * 0.02)
        made.tick(n * 0.02)
        taken += [n for n in heard(made) if n is not None]
    made.tick(60 * 0.02 + 0.04)
    taken += [n for n in heard(made) if n is not None]
    assert [n for n in taken if n] == [n for n in kept if n]


@pytest.mark.parametrize(
    ("why", "datagram", "source"),
    [
        ("malformed", b"", PEER),
        ("malformed", b"\x00" * 40, PEER),
        ("malformed", b"\x80" * 11, PEER),
        ("malformed", packet(1)[:1].replace(b"\x80", b"\x8f") + packet(1)[1:30], PEER),
        ("payload_type", packet(1, payload_type=96), PEER),
        ("rtcp", b"\x80\xc9\x00\x01" + bytes(8), PEER),
        ("source", packet(1), ("192.0.2.66", 4000)),
        ("source", packet(1), ("192.0.2.1", 4002)),
        ("malformed_event", packet(0, payload_type=101, payload=b"\x01"), PEER),
    ],
)
def test_a_bad_packet_is_counted_under_its_reason(why, datagram, source):
    made = receiver()
    made.receive(datagram, source, now=0.0)
    assert made.dropped == {why: 1}
    assert made.statistics()[f"dropped_{why}"] == 1
    assert heard(made) == []
    assert made.moved_to is None


def test_nothing_is_taken_before_the_peer_is_known():
    made = Receiver()
    made.receive(packet(0), PEER, now=0.0)
    assert made.dropped == {"early": 1}


def test_a_packet_without_audio_is_nothing_heard():
    made = receiver()
    made.receive(packet(0, payload=b""), PEER, now=0.0)
    assert heard(made) == []
    assert made.packets == 1


def test_many_streams_are_decoded_at_once_and_each_hears_its_own():
    streams = [receiver() for _ in range(5)]
    for n, made in enumerate(streams):
        if n != 3:
            made.receive(packet(n), PEER, now=0.0)
    decode(streams)
    assert [heard(made) for made in streams] == [[0], [1], [2], [], [4]]


HEADERS = [packet(0)[:12], packet(0, payload_type=8)[:12], packet(0, payload_type=101)[:12], b""]


@given(st.sampled_from(HEADERS), st.binary(max_size=300))
def test_no_datagram_raises(header, rest):
    for config in (PLAIN, SECURE):
        made = receiver(config)
        made.receive(header + rest, PEER, now=0.0)
        made.tick(0.02)
        decode([made])
        made.take_heard()
        assert made.packets + sum(made.dropped.values()) in (1, 2)  # 2: a bad event of the peer


def test_forged_replayed_and_plain_packets_are_dropped_under_srtp():
    made, sending = receiver(SECURE), SrtpSession(SUITE, KEY)
    forging = SrtpSession(SUITE, OTHER_KEY)
    good = [sending.protect(packet(n)) for n in range(3)]
    far = ("198.51.100.1", 9)
    for datagram in (forging.protect(packet(0)), packet(0) + bytes(10), good[0][:-1] + b"x"):
        made.receive(datagram, far, now=0.0)
    assert made.dropped == {"forged": 3}
    for datagram in good:
        made.receive(datagram, PEER, now=0.0)
    made.receive(good[1], far, now=0.0)
    assert made.dropped == {"forged": 3, "replayed": 1}
    assert heard(made) == [0, 1, 2]
    assert made.latch.remote == PEER
    made.receive(sending.protect(packet(3)), far, now=0.1)
    assert (made.latch.remote, made.moved_to) == (far, far)


def test_the_srtp_context_lives_on_with_its_key_and_no_longer():
    made, sending = receiver(SECURE), SrtpSession(SUITE, KEY)
    first = sending.protect(packet(0))
    made.receive(first, PEER, now=0.0)
    made.configure(StreamConfig(remote=PEER, receive=FORMATS, keys=SrtpKeys(SUITE, KEY, KEY)))
    made.receive(first, PEER, now=0.0)
    assert made.dropped == {"replayed": 1}
    keys = SrtpKeys(SUITE, KEY, OTHER_KEY)
    made.configure(StreamConfig(remote=PEER, receive=FORMATS, keys=keys))
    made.receive(SrtpSession(SUITE, OTHER_KEY).protect(packet(1)), PEER, now=0.0)
    assert heard(made) == [0, 1]


def test_a_moved_peer_is_waited_for_anew():
    made = receiver()
    made.receive(packet(0), PEER, now=0.0)
    moved = ("192.0.2.2", 5000)
    made.configure(StreamConfig(remote=moved, receive=FORMATS))
    made.receive(packet(1), moved, now=0.02)
    made.receive(packet(2), PEER, now=0.04)
    assert heard(made) == [0, 1]
    made.configure(StreamConfig())
    assert made.latch is None


def test_both_laws_and_comfort_noise_on_one_stream():
    made = receiver()
    tone = (4000 * np.sin(np.arange(160) / 3)).astype(np.int16)
    made.receive(packet(0, payload=CODECS["PCMU"].encode(tone)), PEER, now=0.0)
    made.receive(packet(1, payload_type=8, payload=CODECS["PCMA"].encode(tone)), PEER, now=0.02)
    made.receive(packet(2, payload_type=13, payload=b"\x40"), PEER, now=0.04)
    decode([made])
    frame = made.take_heard()
    assert len(frame.samples) == 320
    assert abs(frame.samples[:160].astype(int) - frame.samples[160:]).max() < 200
    assert frame.level_dbfs == pytest.approx(-21.3, abs=0.3)
    assert made.last_received == 0.04
    assert not made.dropped


def test_a_digit_is_told_once_through_loss_and_repetition():
    made = receiver()
    for n, out in enumerate(TelephoneEventSender("5").packets()):
        if n % 3 == 1:
            continue  # lost
        event = packet(n, payload_type=101, timestamp=1600, payload=out.payload, marker=out.marker)
        for _ in range(2):
            made.receive(event, PEER, now=n * 0.02)
        made.tick(n * 0.02)
    made.tick(1.0)
    assert made.digits == [Digit("5", 20)]


def test_an_end_sent_thrice_under_one_sequence_number_is_one_digit():
    made = receiver()
    end = TelephoneEventSender("5").packets()[-1].payload
    for n in range(3):
        made.receive(packet(9, payload_type=101, payload=end), PEER, now=n * 0.02)
        made.tick(n * 0.02)
    assert [digit.digit for digit in made.digits] == ["5"]


@pytest.mark.parametrize("seed", range(50))
def test_strings_of_digits_arrive_exact_at_1_percent_loss(seed):
    """Twenty strings of each seed: a thousand in all."""
    dice = random.Random(seed)
    for _ in range(20):
        digits = "".join(dice.choices(DIGITS, k=dice.randint(1, 8)))
        assert arrived(digits, dice) == digits


def arrived(digits, dice):
    """What a receiver makes of the packets of a sender, one in a hundred of them lost."""
    sender, made = Sender(dice.randbytes), receiver(replace(PLAIN, event_payload_type=101))
    sender.configure(replace(PLAIN, event_payload_type=101))
    for digit in digits:
        sender.send_digit(digit, lambda: None)
    for n in range(14 * len(digits) + 10):
        sent = sender.tick()
        if dice.random() >= 0.01:
            made.receive(sent, PEER, now=0.02 * n)
        made.tick(0.02 * n)
    return "".join(digit.digit for digit in made.digits)


def test_the_gate_opens_with_a_voice_and_falls_shut_after_it():
    made = receiver()
    made.receive(packet(0, payload=b"\xff" * 160), PEER, now=0.0)
    decode([made])
    assert not made.gate
    loud = CODECS["PCMU"].encode((3000 * np.sin(np.arange(160) / 3)).astype(np.int16))
    made.receive(packet(1, payload=loud), PEER, now=0.02)
    decode([made])
    assert made.gate
    for n in range(HOLD_TICKS):
        assert made.gate
        made.tick(0.04 + n * 0.02)
    assert not made.gate


def counting(samples_of):
    """A codec whose payloads say how many samples they hold; b"!" is none."""

    def decode(payload):
        if payload == b"!":
            raise RemoteProtocolError("no payload")
        return np.full(samples_of * payload[0], 8000, np.int16)

    form = PayloadFormat("wide", 48000, channels=2)
    return FramedCodec(form, 16000, lambda count, fmtp: None, lambda: decode, ("numpy", "none"))


@pytest.fixture
def wide(monkeypatch):
    monkeypatch.setitem(CODECS, "wide", counting(160))
    return receiver(replace(PLAIN, receive=((96, "wide"), (0, "PCMU"))))


def test_a_framed_codec_counts_by_its_clock_and_fills_what_was_lost(wide):
    for n, blocks in ((0, 2), (2, 2), (3, 4)):  # 10 ms each; packet 1 is lost
        sent = packet(n, payload_type=96, timestamp=960 * n, payload=bytes([blocks]))
        wide.receive(sent, PEER, now=0.0)
    wide.tick(0.04)
    frame = wide.take_heard()
    assert (frame.rate, len(frame.samples)) == (16000, 320 * 3 + 640)
    assert not frame.samples[320:640].any()
    assert frame.samples[640:].all()
    assert wide.gate
    assert wide.statistics()["lost"] == 1


def test_what_cannot_be_decoded_is_counted_and_is_silence(wide):
    for n, payload in enumerate((b"\x02", b"!", b"\x02")):
        sent = packet(n, payload_type=96, timestamp=960 * n, payload=payload)
        wide.receive(sent, PEER, now=0.02 * n)
    assert wide.dropped == {"undecodable": 1}
    assert len(wide.take_heard().samples) == 960


def test_a_change_of_codec_within_a_batch(wide):
    wide.receive(packet(0), PEER, now=0.0)
    sent = packet(1, payload_type=96, timestamp=960, payload=b"\x02")
    wide.receive(sent, PEER, now=0.02)
    assert wide.clock_rate == 48000
    frame = wide.take_heard()
    assert (frame.rate, len(frame.samples)) == (16000, 640)
    wide.receive(packet(2), PEER, now=0.04)
    decode([wide])
    frame = wide.take_heard()
    assert (frame.rate, len(frame.samples), frame.at) == (8000, 160, 0.04)


def test_a_key_is_told_once_its_digit_is_handed_on():
    made = receiver()
    made.receive(packet(0), PEER, now=0.0)
    event = TelephoneEventSender("5").packets()[0]
    made.receive(packet(1, payload_type=101, payload=event.payload, marker=True), PEER, now=0.02)
    assert made.told is None
    made.digits.clear()
    assert made.told == (160, TelephoneEvent.parse(event.payload))
