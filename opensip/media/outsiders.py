"""Lets the system keep everybody but the peer out of a socket: a flood then costs us nothing."""

import ctypes
import math
import socket

from opensip.media.engine import Address
from opensip.media.latch import SourceLatch

FLOOD = 64  # datagrams on one tick: the peer's own are no more, even after a second's stall
FLOODED = 2.0  # seconds that a flood is taken to last, unseen by us

# socket.connect() cannot name AF_UNSPEC, which is what lets a datagram socket loose again.
_connect = ctypes.CDLL(None, use_errno=True).connect
_NOBODY = bytes(16)  # a struct sockaddr of that family


class Outsiders:
    """Connects one socket of media to the peer while nobody else needs to be heard.

    Without, a flood fills the socket's buffer from tick to tick, and the peer's packets find no
    room. A peer that makes checks or handshakes (`beside`) may make them from anywhere; there the
    system helps in a flood alone.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._local = sock.getsockname()
        self._connected: Address | None = None
        self._flooded_until = -math.inf

    def tick(
        self,
        latch: SourceLatch | None,
        last_received: float | None,
        *,
        now: float,
        datagrams: int,
        beside: bool,
    ) -> None:
        """Do what each tick does; `datagrams` came since the last."""
        if datagrams > FLOOD:
            self._flooded_until = now + FLOODED
        alone = latch is not None and latch.is_alone(last_received, now=now)
        wanted = alone and (not beside or now < self._flooded_until)
        remote = latch.remote if latch is not None and wanted else None
        if remote == self._connected:
            return
        self.let_all_in()
        if remote is not None:
            self._keep_out(remote)

    def let_all_in(self) -> None:
        """Let the socket take what anybody sends, were it connected, on the same port."""
        if self._connected is None:
            return
        self._connected = None
        _connect(self._socket.fileno(), _NOBODY, len(_NOBODY))
        if self._socket.getsockname() != self._local:  # the system had picked it
            self._socket.bind(self._local)

    def _keep_out(self, remote: Address) -> None:
        try:
            self._socket.connect(remote)
        except OSError:  # a name, or no way there: then it is as it was
            return
        self._connected = remote
