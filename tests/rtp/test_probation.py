from hypothesis import given
from hypothesis import strategies as st

from opensip.rtp.packet import RtpPacket
from opensip.rtp.probation import SILENT, Probation


def packet(sequence, ssrc=8):
    return RtpPacket(0, sequence & 0xFFFF, 160 * sequence & 0xFFFFFFFF, ssrc, b"")


def made():
    probation = Probation()
    assert not probation.present(now=0.0)
    return probation


@given(st.integers(0, 0xFFFF))
def test_the_second_in_sequence_proves_a_source(first):
    probation = made()
    assert not probation.proves(packet(first), now=0.02)
    assert not probation.hold(packet(first), now=0.02)
    assert probation.proves(packet(first + 1), now=0.04)
    assert (probation.held, probation.held_at) == (packet(first), 0.02)


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.sampled_from((8, 9)))
def test_no_other_does(first, second, ssrc):
    probation = made()
    probation.hold(packet(first), now=0.02)
    proves = probation.proves(packet(second, ssrc), now=0.04)
    assert proves == (ssrc == 8 and second == (first + 1) & 0xFFFF)


def test_a_packet_of_the_present_source_breaks_the_row():
    probation = made()
    probation.hold(packet(1), now=0.02)
    assert probation.present(now=0.03)
    assert not probation.proves(packet(2), now=0.04)
    assert not probation.hold(packet(2), now=0.04)
    assert probation.hold(packet(4), now=0.06)


def test_a_source_that_is_silent_is_given_up_for_any_other():
    probation = made()
    assert not probation.proves(packet(1), now=SILENT - 0.01)
    assert probation.proves(packet(1), now=SILENT)
