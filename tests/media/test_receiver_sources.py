"""Packets of several sources on one way in: which of them is the peer."""

import numpy as np

from opensip.audio.codecs import CODECS
from opensip.media.engine import StreamConfig
from opensip.media.receiver import Receiver, decode
from opensip.rtp.packet import RtpPacket

PEER = ("127.0.0.1", 4000)


def receiver():
    made = Receiver()
    made.configure(StreamConfig(remote=PEER))
    return made


def packet(n, ssrc=7):
    return RtpPacket(0, n, 160 * n, ssrc, bytes((0x80 + n % 64,)) * 160).serialize()


def heard(made):
    """Take what was heard as a list of packet numbers."""
    decode([made])
    frame = made.take_heard()
    blocks = np.zeros((0, 160)) if frame is None else frame.samples.reshape(-1, 160)
    values = {CODECS["PCMU"].decode(bytes((0x80 + n,)))[0]: n for n in range(64)}
    return [values.get(block[0]) for block in blocks]


def test_a_new_ssrc_is_a_new_source_from_its_second_packet_in_sequence_on():
    made = receiver()
    made.receive(packet(500), PEER, now=0.0)
    made.receive(packet(502), PEER, now=0.02)
    made.receive(packet(3, ssrc=8), PEER, now=0.04)
    assert (heard(made), made.ssrc) == ([500 % 64], 7)
    made.receive(packet(4, ssrc=8), PEER, now=0.06)
    assert heard(made) == [502 % 64, 3, 4]
    assert made.ssrc == 8
    assert made.source.received == 2
    assert made.statistics().items() >= {"received": 4, "lost": 1, "late": 0}.items()
    assert not made.dropped


def test_single_packets_of_other_sources_are_dropped():
    made = receiver()
    for n in range(10):
        made.receive(packet(n), PEER, now=0.02 * n)
        made.receive(packet(n, ssrc=8), PEER, now=0.02 * n)  # in sequence, but beside the peer's
        made.receive(packet(7 * n, ssrc=9), PEER, now=0.02 * n)
    made.receive(packet(10), PEER, now=0.2)
    assert heard(made) == [*range(11)]
    assert made.dropped == {"ssrc": 20}
    assert (made.ssrc, made.source.received) == (7, 11)


def test_a_new_ssrc_after_silence_is_taken_at_once():
    made = receiver()
    made.receive(packet(500), PEER, now=0.0)
    made.receive(packet(3, ssrc=8), PEER, now=1.0)
    assert heard(made) == [500 % 64, 3]
