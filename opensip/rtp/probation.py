"""Whether another source is the peer now, or one packet of somebody else: RFC 3550 appendix A.1."""

from opensip.rtp.packet import RtpPacket

SILENT = 1.0  # seconds; a source that was silent for so long has nothing left that is defended


class Probation:
    """Keeps the first packet of another source back until the next in sequence proves it.

    The packets of the present source break the row, so two that speak at once do not take turns.
    """

    def __init__(self) -> None:
        self.held: RtpPacket | None = None
        self.held_at = 0.0  # when it came
        self._last = -SILENT

    def present(self, *, now: float) -> bool:
        """Note a packet of the present source; tells whether one that was held is given up."""
        self._last = now
        given_up, self.held = self.held is not None, None
        return given_up

    def proves(self, packet: RtpPacket, *, now: float) -> bool:
        """Tell whether `packet` of another source makes that the peer, with what is `held`."""
        if now - self._last >= SILENT:
            return True
        held = self.held
        return (
            held is not None
            and packet.ssrc == held.ssrc
            and packet.sequence == (held.sequence + 1) & 0xFFFF
        )

    def hold(self, packet: RtpPacket, *, now: float) -> bool:
        """Keep `packet` back; tells whether one that was held before is given up."""
        given_up = self.held is not None
        self.held, self.held_at = packet, now
        return given_up
