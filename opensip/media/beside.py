"""What comes to a stream's port and is no RTP: STUN, DTLS, RTCP. It waits to be read."""

from opensip.media.engine import MOST_BESIDE, Address, Beside
from opensip.media.strangers import MOST_WAITING, Strangers
from opensip.rtp.rtcp import is_rtcp
from opensip.rtp.stun import is_stun


def is_dtls(datagram: bytes) -> bool:
    """Tell by the first octet whether a datagram beside RTP is DTLS (RFC 7983 section 7)."""
    return bool(datagram) and 20 <= datagram[0] <= 63


def is_beside(datagram: bytes, *, mux: bool) -> bool:
    """Tell by the first octet (RFC 7983 section 7), RTCP by the second (RFC 5761).

    `mux` tells whether RTCP shares the port.
    """
    return is_stun(datagram) or is_dtls(datagram) or (mux and is_rtcp(datagram))


class BesideInbox:
    """Keeps datagrams of other protocols until they are taken.

    The peer has room of its own: `strangers` may take a part, and each of them a part of that.
    """

    def __init__(self) -> None:
        self.waiting: list[Beside] = []
        self.strangers = Strangers()
        self._strange = 0  # of what waits

    def put(self, beside: Beside, *, remote: Address | None, now: float) -> bool:
        """Keep a datagram; tells whether there was room. `remote` is where RTP comes from."""
        room = len(self.waiting) < MOST_BESIDE
        if room and beside.source != remote and beside.source not in self.strangers.known:
            room = self._strange < MOST_WAITING and self.strangers.admit(beside.source, now=now)
            self._strange += room
        if room:
            self.waiting.append(beside)
        return room

    def take(self) -> list[Beside]:
        """Take all, in order."""
        taken, self.waiting, self._strange = self.waiting, [], 0
        return taken
