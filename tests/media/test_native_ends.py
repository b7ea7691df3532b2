import pytest

from opensip.media.engine import SrtpKeys, StreamConfig
from opensip.rtp.packet import RtpPacket
from opensip.rtp.telephone_event import TelephoneEvent
from tests.fakes.engines import needs_native

pytestmark = needs_native
SUITE = "AES_CM_128_HMAC_SHA1_80"


class Core:
    """The figures of a stream, as a test says them."""

    def __init__(self):
        self.figures = (7, 100, 10, 111, 16.0, 8000)
        self.packets = 50
        self.begun = []

    def received(self):
        return self.figures

    def sent(self):
        return (self.packets, 8000, 160)

    def begin(self, ssrc, timestamp, sequence):
        self.begun.append((ssrc, timestamp, sequence))

    def remote(self):
        return ("192.0.2.1", 4000)


def receiver():
    from opensip.media.native_ends import NativeReceiver

    return NativeReceiver(Core())


def test_losses_are_reported_since_the_last_report():
    made = receiver()
    block = made.source.report_block(made.ssrc, now=1.0)
    assert (block.ssrc, block.lost, block.highest_sequence, block.jitter) == (7, 2, 111, 16)
    assert block.fraction_lost == (2 << 8) // 102
    made._core.figures = (7, 200, 10, 211, 16.0, 8000)
    assert made.source.report_block(made.ssrc, now=6.0).fraction_lost == 0


def test_a_source_that_begins_anew_is_reported_anew():
    made = receiver()
    made.source.report_block(made.ssrc, now=1.0)
    made._core.figures = (7, 10, 5000, 5009, 0.0, 8000)
    assert made.source.report_block(made.ssrc, now=2.0).lost == 0
    made._core.figures = (8, 1, 3, 3, 0.0, 48000)
    assert made.source.expected == 1
    assert made.ssrc == 8


def test_nobody_is_there_before_the_peer_is_known():
    made = receiver()
    assert made.remote is None
    made.configure(StreamConfig(remote=("192.0.2.9", 1)))
    assert made.remote == ("192.0.2.1", 4000)
    made.drop("rtcp_forged")
    assert made.statistics() == {"jitter_ms": 2.0, "dropped_rtcp_forged": 1}


@pytest.mark.parametrize("end", ["NativeSender", "NativeReceiver"])
def test_the_context_of_reports_lives_on_with_its_key(end):
    from opensip.media import native_ends

    keys = SrtpKeys(SUITE, b"t" * 30, b"r" * 30)
    arguments = (Core(), bytes) if end == "NativeSender" else (Core(),)
    made = getattr(native_ends, end)(*arguments)
    made.configure(StreamConfig(keys=keys))
    context = made.srtp
    made.configure(StreamConfig(remote=("192.0.2.2", 6), keys=keys))
    assert made.srtp is context
    made.configure(StreamConfig(keys=SrtpKeys(SUITE, b"T" * 30, b"R" * 30)))
    assert made.srtp is not context
    made.configure(StreamConfig())
    assert made.srtp is None


def test_a_new_key_after_a_wrap_comes_with_a_new_source():
    from opensip.media.native_ends import NativeSender

    core, dice = Core(), iter((1, 2, 0xFFFE, 3, 10))
    core.packets = 0
    made = NativeSender(core, lambda n: next(dice).to_bytes(n))
    core.packets = 0x8000
    made.begin_anew()
    assert core.begun == [(2, 1, 0x7FFF)]
    core.packets = 0x8001
    made.begin_anew()
    assert (core.begun[1:], made.ssrc) == ([(3, 160, 5)], 3)
    made.begin_anew()
    assert len(core.begun) == 2


def test_the_last_key_of_the_source_of_the_moment_is_known():
    made = receiver()
    assert made.told is None
    packet = RtpPacket(101, 1, 8000, 7, TelephoneEvent(5, False, 10, 160).serialize(), True)
    assert made.events.receive(packet) == "5"
    assert made.told == (8000, TelephoneEvent(5, False, 10, 160))
    made._core.figures = (8, *made._core.figures[1:])
    assert made.told is None
