"""Where a message came from, or goes to: a flow in the sense of RFC 5626 section 3.1."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flow:
    """A pair of addresses under a transport. A pure value: sockets live in `opensip.net`.

    `transport` is "UDP", "TCP" or "TLS"; addresses are (host, port), IPv6 without brackets.
    `serial` numbers the connection of TCP and TLS, so that a new connection between the same
    ports is another flow; it is 0 for UDP.
    """

    transport: str
    local: tuple[str, int]
    remote: tuple[str, int]
    serial: int = 0

    @property
    def reliable(self) -> bool:
        """True if the transport itself retransmits (RFC 3261 section 17)."""
        return self.transport != "UDP"

    @property
    def secure(self) -> bool:
        """True if the transport is TLS."""
        return self.transport == "TLS"

    def __str__(self) -> str:
        return f"{self.transport} {self.local[0]}:{self.local[1]}-{self.remote[0]}:{self.remote[1]}"
