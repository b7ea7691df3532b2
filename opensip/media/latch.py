"""Where a stream's packets may come from, and so where ours go: symmetric RTP (RFC 4961)."""

PROBATION = 5  # foreign packets after which an unproven source can no longer become ours
# Seconds that a latched source has to speak, and the signalled one not at all, until it is settled:
# longer than a peer waits with its first packet, for nothing else tells a NAT from a thief.
PROVEN = 10.0
# Seconds without the peer after which it may be elsewhere, for a NAT binds it anew: ten packets,
# for some may be lost.
SILENT = 0.2
# Packets of before a change that are still good: a peer that moves, or takes another key, goes on
# as it did until it has our answer. Two seconds of them, for that may be lost once.
GRACE = 100


class SourceLatch:
    """Decides for each packet whether its source is the peer. Does no I/O.

    Under SRTP call `admit` only with packets that proved themselves: such a source is the
    peer wherever it is. Plain RTP proves nothing, so another source than the signalled one
    is taken once at most, among the first packets, and only when the same SSRC came twice. It
    is on trial: what comes from the signalled address is the peer's at any time, and ends that.
    `former` is where the peer was before it moved by signalling: packets from there are good
    until one comes from its new place, GRACE of them at most, and move nothing.
    """

    def __init__(
        self,
        remote: tuple[str, int],
        *,
        symmetric: bool = True,
        authenticated: bool = False,
        former: tuple[str, int] | None = None,
    ) -> None:
        self.remote = remote
        self.settled = False  # nobody else needs to be heard
        self._signalled = remote
        self._former = former
        self._grace = GRACE
        self._symmetric = symmetric
        self._authenticated = authenticated
        self._foreign = 0
        self._candidate: tuple[tuple[str, int], int] | None = None
        self._latched_at: float | None = None

    def admit(self, source: tuple[str, int], ssrc: int, *, now: float) -> bool:
        """Tell whether a packet from `source` is the peer's; may move `remote` there."""
        if source == self._signalled:
            return self._settle(source)
        if source == self._former and self._grace:
            self._grace -= 1
            return True
        if not self._symmetric:
            return False
        if self._authenticated:
            return self._settle(source)
        if self._latched_at is not None and source == self.remote:
            self.settled = now - self._latched_at >= PROVEN
            return True
        return self._admit_unproven(source, ssrc, now)

    def is_alone(self, last_received: float | None, *, now: float) -> bool:
        """Tell whether the system may keep all but `remote` out.

        `last_received` is when the peer's last packet came: one that may move has to be there.
        """
        if not self._symmetric:
            return self._former is None or not self._grace
        moves = self._authenticated or self._latched_at is not None
        present = last_received is not None and now - last_received <= SILENT
        return self.settled and (present or not moves)

    def _settle(self, source: tuple[str, int]) -> bool:
        self.remote = source
        self.settled = True
        self._former = self._latched_at = None
        return True

    def _admit_unproven(self, source: tuple[str, int], ssrc: int, now: float) -> bool:
        if self.settled or self._latched_at is not None or self._foreign >= PROBATION:
            return False
        self._foreign += 1
        if self._candidate != (source, ssrc):
            self._candidate = (source, ssrc)
            return False
        self.remote = source
        self._latched_at = now
        self._former = None
        return True
