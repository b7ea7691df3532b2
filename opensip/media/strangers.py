"""How much of what comes beside RTP may be strangers': they must not crowd out the peer.

A stranger may yet be the peer: one that does ICE is known by its first check alone.
"""

import math
from collections.abc import Collection

Address = tuple[str, int]

# Datagrams of all strangers that a port takes in a second: a peer begins a check each 50 ms (RFC
# 8445 section 14.2) and may do so from three hosts at once. That many cost no CPU worth a word.
MOST_A_SECOND = 60
MOST_OF_ONE = 20  # of them from one host: who floods leaves room for others
MOST_WAITING = 4  # of all that wait to be read, which are `engine.MOST_BESIDE`


class Strangers:
    """Counts what strangers send to one port. Does no I/O.

    `known` are the sources that are none: where the peer is by its SDP, or has proven to be.
    """

    def __init__(self) -> None:
        self.known: Collection[Address] = ()
        self._since = -math.inf
        self._total = 0
        self._of: dict[str, int] = {}  # by host

    def admit(self, source: Address, *, now: float) -> bool:
        """Tell whether a datagram of a stranger may be looked at."""
        if now - self._since >= 1:
            self._since, self._total = now, 0
            self._of.clear()
        count = self._of.get(source[0], 0)
        if self._total >= MOST_A_SECOND or count >= MOST_OF_ONE:
            return False
        self._total += 1
        self._of[source[0]] = count + 1
        return True
