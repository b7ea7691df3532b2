"""What strangers may take of the sockets. Times are in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Bounds on inbound connections on which nothing was admitted yet.

    `per_source` counts them from accept on, handshakes included; `handshakes` bounds those
    that shake hands at once, over all strangers. `message` is from its first byte to its last.
    """

    per_source: int = 8
    handshakes: int = 100
    handshake: float = 5.0
    message: float = 10.0
    idle: float = 15.0
