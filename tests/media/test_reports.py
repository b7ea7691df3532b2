import math
from dataclasses import replace

import pytest

from opensip.media.engine import Beside, SrtpKeys, StreamConfig
from opensip.media.receiver import Receiver
from opensip.media.reports import INTERVAL, Reports, context
from opensip.media.sender import Sender
from opensip.rtp.packet import RtpPacket
from opensip.rtp.rtcp import (
    NTP_EPOCH,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    parse_compound,
    serialize_compound,
)
from opensip.rtp.srtp import SrtpSession

HERE, THERE = ("192.0.2.1", 4000), ("192.0.2.2", 5000)
KEYS = SrtpKeys("AEAD_AES_128_GCM", b"k" * 28, b"k" * 28)


class End:
    """One end of a stream, as far as its reports need it."""

    def __init__(self, remote, seed, keys=None, rtcp=True):
        self.sender = Sender(lambda n: bytes((seed,)) * n)
        self.receiver = Receiver()
        self.reports = Reports(
            self.sender, self.receiver, lambda n: b"\x80".ljust(n, b"\0"), epoch=1.7e9
        )
        config = StreamConfig(
            remote=remote, rtcp=(remote[0], remote[1] + 1) if rtcp else None, keys=keys
        )
        for part in (self.sender, self.receiver):
            part.configure(config)
        self.reports.configure(config, now=0.0)


def talk(one, two, count, lose=(), now=0.0):
    """Let `one` send packets to `two`, who is not sent those in `lose`."""
    for n in range(count):
        packet = one.sender.tick()
        if n not in lose:
            two.receiver.receive(packet, HERE, now=now + n * 0.02)


@pytest.mark.parametrize("keys", [None, KEYS])
def test_a_sender_learns_its_losses_and_round_trip(keys):
    one, two = End(THERE, 1, keys), End(HERE, 2, keys)
    talk(one, two, 10, lose=(3, 4))
    two.receiver.tick(0.5)
    two.reports.receive(one.reports.report(now=0.5), HERE, now=0.6)
    back = two.reports.report(now=1.0)
    one.reports.receive(back, THERE, now=1.1)
    assert one.reports.statistics() == {
        "rtcp_sent": 1,
        "rtcp_received": 1,
        "peer_lost": 2,
        "peer_loss": 0.1992,
        "peer_jitter_ms": 0.0,
        "round_trip_ms": pytest.approx(200, abs=1),
    }
    assert two.reports.statistics() == {"rtcp_sent": 1, "rtcp_received": 1}


def test_reports_of_a_port_of_their_own_have_keys_of_their_own():
    own = SrtpKeys("AES_CM_128_HMAC_SHA1_80", b"o" * 30, b"o" * 30)
    one, two = End(THERE, 1, KEYS), End(HERE, 2, KEYS)
    beside = []
    for end, remote in ((one, THERE), (two, HERE)):
        config = StreamConfig(remote=remote, rtcp=remote, keys=KEYS, control=own, beside=True)
        end.reports.configure(config, now=0.0)
        end.reports.beside = beside.append
    two.reports.receive(one.reports.report(now=0.5), HERE, now=0.6)
    assert two.reports.statistics()["rtcp_received"] == 1
    hello = b"\x16\xfe\xfd" + bytes(20)
    two.reports.receive(hello, HERE, now=0.7)
    assert beside == [Beside(hello, HERE)]
    old = one.reports.report(now=0.8)
    two.reports.configure(replace(config, control=None, mux=True), now=1.0)
    two.reports.receive(old, HERE, now=1.1)
    two.reports.receive(hello, HERE, now=1.1)
    assert two.reports.statistics()["rtcp_received"] == 1
    assert len(beside) == 1


def test_a_context_lives_on_while_its_key_is_the_same():
    first = context(None, KEYS, "transmit", SrtpSession)
    assert context(first, KEYS, "transmit", SrtpSession) is first
    assert context(first, replace(KEYS, transmit=b"n" * 28), "transmit", SrtpSession) is not first
    assert context(first, None, "transmit", SrtpSession) is None


def test_who_sends_nothing_makes_a_receiver_report():
    one, two = End(THERE, 1), End(HERE, 2)
    talk(one, two, 2)
    report, description = parse_compound(one.reports.report(now=0.1))
    assert isinstance(report, SenderReport)
    assert (report.packets, report.octets, report.reports) == (2, 320, ())
    assert description.items[0][0] == 1
    (report, _) = parse_compound(two.reports.report(now=0.1))
    assert isinstance(report, ReceiverReport)
    assert report.reports[0].ssrc == 0x01010101
    *_, goodbye = parse_compound(one.reports.goodbye(now=0.2))
    assert goodbye == Goodbye((0x01010101,))


def test_reports_are_due_at_random_around_five_seconds():
    one = End(THERE, 1)
    assert one.reports.due_at == INTERVAL / 2
    one.reports.report(now=2.5)
    assert one.reports.due_at == 7.5
    one.reports._random = lambda n: b"\x00" * n
    one.reports.report(now=10.0)
    assert one.reports.due_at == 12.5
    one.reports.configure(StreamConfig(), now=11.0)
    assert one.reports.due_at == math.inf


def test_bad_reports_are_counted_and_dropped():
    plain, secure = End(THERE, 1), End(THERE, 1, KEYS)
    plain.reports.receive(b"\x80\xc9\x00\x09", THERE, now=0.0)
    plain.reports.receive(b"\x80\xc9\x00\x01" + bytes(4), ("192.0.2.66", 5001), now=0.0)
    secure.reports.receive(b"\x80\xc9\x00\x01" + bytes(40), THERE, now=0.0)
    assert plain.receiver.dropped == {"rtcp_malformed": 1, "rtcp_source": 1}
    assert secure.receiver.dropped == {"rtcp_forged": 1}


def test_reports_follow_a_source_that_moved():
    one = End(THERE, 1, KEYS)
    two = End(HERE, 2, KEYS)
    assert one.reports.remote == ("192.0.2.2", 5001)
    one.receiver.receive(two.sender.tick(), ("198.51.100.1", 7000), now=0.0)
    assert one.reports.remote == ("198.51.100.1", 7001)


def test_other_packets_and_foreign_blocks_are_passed_over():
    one, two, other = End(THERE, 1), End(HERE, 2), End(HERE, 3)
    talk(other, two, 2)
    one.reports.receive(two.reports.goodbye(now=0.1), THERE, now=0.1)
    assert "peer_lost" not in one.reports.statistics()
    assert RtpPacket.parse(one.sender.tick()).ssrc == 0x01010101


@pytest.mark.parametrize("last_sr", [1, (1_700_000_000 + NTP_EPOCH - 3600) * 65536 & 0xFFFFFFFF])
def test_a_round_trip_is_not_measured_by_a_report_that_we_never_sent(last_sr):
    one = End(THERE, 1)
    one.sender.tick()
    for now in (0.5, 1.0):
        block = ReportBlock(one.sender.ssrc, 0, 0, 0, 0, last_sr)
        one.reports.receive(serialize_compound(ReceiverReport(7, (block,))), THERE, now=now)
        assert one.reports.statistics()["round_trip_ms"] == 0
        one.reports.report(now=now)
