"""Offers and answers of a session: SDP is opaque here, its meaning is the negotiator's."""

from typing import Protocol

from opensip.errors import NegotiationError, OpenSipError
from opensip.sip.grammar import quote


class Negotiator(Protocol):
    """Who knows what the SDP of a call means.

    Each method raises NegotiationError, or RemoteProtocolError for SDP that cannot be read.
    """

    def answer(self, offer: bytes) -> bytes:
        """Answer an offer of the peer, the first or a later one."""

    def offer(self) -> bytes:
        """Make an offer."""

    def accept(self, answer: bytes) -> None:
        """Take the peer's answer to our last offer."""


class Negotiation:
    """What was agreed in a session, so that an offer that changes nothing changes nothing."""

    def __init__(self) -> None:
        self.negotiator: Negotiator | None = None
        self._agreed: tuple[bytes, bytes] | None = None  # the peer's last offer, our answer

    def begin(self, negotiator: Negotiator, offer: bytes = b"", answer: bytes = b"") -> None:
        """Begin with what the first INVITE brought, if anything."""
        self.negotiator = negotiator
        self._agreed = (offer, answer) if offer else None

    def answer(self, offer: bytes) -> bytes:
        """Answer an offer; make one where the peer wants ours."""
        if self.negotiator is None:
            raise NegotiationError("the session has no media yet")
        if not offer:
            return self.offer()
        if self._agreed is None or self._agreed[0] != offer:
            self._agreed = (offer, self.negotiator.answer(offer))
        return self._agreed[1]

    def offer(self) -> bytes:
        """Make an offer."""
        if self.negotiator is None:
            raise NegotiationError("the session has no media yet")
        self._agreed = None  # what comes of it, only the negotiator knows
        return self.negotiator.offer()

    def accept(self, answer: bytes) -> None:
        """Take the peer's answer to our offer."""
        if self.negotiator is not None:
            self.negotiator.accept(answer)


def warning(error: OpenSipError, local: tuple[str, int]) -> tuple[str, str]:
    """Write the header that tells the peer why there is no session (RFC 3261 section 20.43)."""
    code, text = 399, str(error)
    if isinstance(error, NegotiationError):
        code, text = error.warning_code, error.warning
    return "Warning", f"{code} {local[0]}:{local[1]} {quote(text)}"
