import itertools
from dataclasses import replace

import numpy as np
import pytest

from opensip.audio.codecs import CODECS
from opensip.errors import LocalProtocolError
from opensip.media.engine import SrtpKeys, StreamConfig
from opensip.media.sender import Sender
from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SrtpSession
from opensip.rtp.telephone_event import TelephoneEventReceiver

REMOTE = ("192.0.2.1", 4000)
VOICE = np.arange(0, 8000, 10, dtype=np.int16)  # 100 ms


def sender(**config):
    made = Sender(lambda n: b"\xff" * n)
    made.configure(StreamConfig(**{"remote": REMOTE, "event_payload_type": 101, **config}))
    return made


def sent(made, ticks):
    packets = []
    for _ in range(ticks):
        packet = made.tick()
        while packet is not None:
            packets.append(RtpPacket.parse(packet))
            packet = made.next_packet()
    return packets


def test_silence_then_voice_with_a_marker_then_silence():
    made = sender()
    packets = sent(made, 2)
    made.playout.write(VOICE)
    packets += sent(made, 7)
    assert [p.marker for p in packets] == [False, False, True] + [False] * 6
    voice = b"".join(p.payload for p in packets[2:7])
    assert voice == CODECS["PCMU"].encode(VOICE)
    assert {p.payload for p in packets[:2] + packets[7:]} == {b"\xff" * 160}
    assert (packets[0].sequence, packets[0].ssrc) == (0x7FFF, 0xFFFFFFFF)
    for one, two in itertools.pairwise(packets):
        assert (two.sequence - one.sequence) & 0xFFFF == 1
        assert (two.timestamp - one.timestamp) & 0xFFFFFFFF == 160
    assert (made.packets, made.octets) == (9, 9 * 160)


def test_sequence_numbers_wrap_under_srtp():
    made = sender(keys=SrtpKeys("AES_CM_128_HMAC_SHA1_32", b"t" * 30, b"r" * 30))
    peer = SrtpSession("AES_CM_128_HMAC_SHA1_32", b"t" * 30)
    made._sequence = 0xFFFE
    got = [RtpPacket.parse(peer.unprotect(made.tick())).sequence for _ in range(4)]
    assert got == [0xFFFE, 0xFFFF, 0, 1]


def test_a_new_key_after_a_wrap_comes_with_a_new_source():
    keys, wrapped = SrtpKeys("AES_CM_128_HMAC_SHA1_80", b"t" * 30, b"r" * 30), 0x8001
    for packets, ssrc in ((wrapped - 1, 0x07070707), (wrapped, 0x09090909)):
        drawn = iter((b"\x07", b"\xff", b"\x06", b"\x09", b"\x05"))
        made = Sender(lambda n, drawn=drawn: next(drawn) * n)
        made.configure(StreamConfig(remote=REMOTE, keys=keys))
        made.packets = packets
        made.configure(StreamConfig(remote=REMOTE, keys=replace(keys, transmit=b"n" * 30)))
        peer = SrtpSession(keys.suite, b"n" * 30)
        assert RtpPacket.parse(peer.unprotect(made.tick())).ssrc == ssrc


def test_the_srtp_context_lives_on_with_its_key():
    keys = SrtpKeys("AES_CM_128_HMAC_SHA1_80", b"t" * 30, b"r" * 30)
    made = sender(keys=keys)
    context = made.srtp
    made.configure(StreamConfig(remote=("192.0.2.2", 6), keys=keys))
    assert made.srtp is context
    made.configure(StreamConfig(remote=REMOTE))
    assert made.srtp is None


@pytest.mark.parametrize(
    ("ptime", "count", "size"),
    [(10, 24, 80), (20, 12, 160), (30, 8, 240), (40, 6, 320), (60, 4, 480)],
)
def test_packet_times(ptime, count, size):
    made = sender(ptime=ptime)
    packets = sent(made, 12)
    assert len(packets) == count
    assert {len(p.payload) for p in packets} == {size}
    assert (packets[1].timestamp - packets[0].timestamp) & 0xFFFFFFFF == size


def test_ticks_on_which_nothing_may_be_sent_take_their_time():
    made = sender()
    (before,) = sent(made, 1)
    for _ in range(5):
        made.skip_tick()
    made.playout.write(VOICE)
    (after,) = sent(made, 1)
    assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 6 * 160
    assert (after.sequence - before.sequence) & 0xFFFF == 1
    assert after.marker


def test_digits_take_the_place_of_audio_and_stay_apart():
    made, left = sender(), []
    made.playout.write(np.tile(VOICE, 20))
    made.send_digit("4", lambda: left.append("4"))
    made.send_digit("4", lambda: left.append("44"))
    packets = sent(made, 40)
    events = [p for p in packets if p.payload_type == 101]
    assert len({p.timestamp for p in events}) == 2
    assert [p.marker for p in events].count(True) == 2
    receiver = TelephoneEventReceiver()
    assert [d for d in map(receiver.receive, events) if d] == ["4", "4"]
    assert left == ["4", "44"]
    assert made.playout.played == 160 * (40 - len(events) - 6)
    whole = [p.timestamp for p in packets if p.payload_type == 0]
    assert (whole[-1] - packets[0].timestamp) & 0xFFFFFFFF == 39 * 160


def test_what_is_not_a_digit_is_our_bug():
    with pytest.raises(LocalProtocolError):
        sender().send_digit("x", lambda: None)


def test_all_that_is_queued_can_be_forgotten():
    made, left = sender(), []
    made.playout.write(VOICE)
    made.send_digit("1", lambda: left.append(1))
    sent(made, 2)
    made.forget()
    assert left == [1]
    (packet,) = sent(made, 1)
    assert (packet.payload_type, packet.payload) == (0, b"\xff" * 160)


def test_another_codec():
    made = sender(codec="PCMA", payload_type=8)
    (packet,) = sent(made, 1)
    assert (packet.payload_type, packet.payload) == (8, b"\xd5" * 160)
