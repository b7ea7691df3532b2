"""Where a stream's packets may come from, and so where ours go: symmetric RTP (RFC 4961)."""

PROBATION = 5  # foreign packets after which an unproven source can no longer become ours


class SourceLatch:
    """Decides for each packet whether its source is the peer. Does no I/O.

    Under SRTP call `admit` only with packets that proved themselves: such a source is the
    peer wherever it is. Plain RTP proves nothing, so another source than the signalled one
    is taken once at most, among the first packets, and only when the same SSRC came twice.
    """

    def __init__(
        self, remote: tuple[str, int], *, symmetric: bool = True, authenticated: bool = False
    ) -> None:
        self.remote = remote
        self._symmetric = symmetric
        self._authenticated = authenticated
        self._settled = False
        self._foreign = 0
        self._candidate: tuple[tuple[str, int], int] | None = None

    def admit(self, source: tuple[str, int], ssrc: int) -> bool:
        """Tell whether a packet from `source` is the peer's; may move `remote` there."""
        if source == self.remote:
            self._settled = True
            return True
        if not self._symmetric:
            return False
        if self._authenticated:
            self.remote = source
            return True
        return self._admit_unproven(source, ssrc)

    def _admit_unproven(self, source: tuple[str, int], ssrc: int) -> bool:
        if self._settled or self._foreign >= PROBATION:
            return False
        self._foreign += 1
        if self._candidate != (source, ssrc):
            self._candidate = (source, ssrc)
            return False
        self.remote = source
        self._settled = True
        return True
