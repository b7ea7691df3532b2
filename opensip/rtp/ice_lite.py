"""ICE as a host with a public address does it: it answers checks and makes none (RFC 8445 2.5)."""

from opensip.errors import RemoteProtocolError
from opensip.rtp.stun import (
    BINDING_ERROR,
    BINDING_INDICATION,
    BINDING_REQUEST,
    BINDING_SUCCESS,
    ERROR_CODE,
    ICE_CONTROLLED,
    UNKNOWN_ATTRIBUTES,
    USE_CANDIDATE,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    Attributes,
    StunMessage,
    error_code,
    is_authentic,
    xor_address,
)

Address = tuple[str, int]

MOST_SOURCES = 8  # that proved themselves; a peer checks from each of its interfaces


class IceLite:
    """Answers the connectivity checks of one session. Does no I/O.

    `ufrag` and `password` are ours, `remote_ufrag` is the peer's. Only who knows the password,
    which went by signalling, gets an answer: anything else is counted in `dropped` and left
    alone, so that nobody can use us against others.
    """

    def __init__(self, ufrag: str, password: str, remote_ufrag: str) -> None:
        self.dropped: dict[str, int] = {}
        self.remote_ufrag = remote_ufrag
        self._username = f"{ufrag}:{remote_ufrag}".encode()
        self._key = password.encode()
        self._sources: list[Address] = []  # the last that proved itself at the end
        self._nominated: Address | None = None

    @property
    def remote(self) -> Address | None:
        """Where the peer is: what it nominated, until then the first place it asked from."""
        return self._nominated or next(iter(self._sources), None)

    def knows(self, datagram: bytes) -> bool:
        """Tell whether a check names our credentials, be it forged or not."""
        try:
            return StunMessage.parse(datagram).get(USERNAME) == self._username
        except RemoteProtocolError:
            return False

    @property
    def nominated(self) -> bool:
        """Whether the peer has chosen where it is."""
        return self._nominated is not None

    @property
    def sources(self) -> tuple[Address, ...]:
        """Where checks came from that proved themselves."""
        return tuple(self._sources)

    def admits(self, source: Address) -> bool:
        """Tell whether a check from there has proven itself."""
        return source in self._sources

    def receive(self, datagram: bytes, source: Address) -> bytes | None:
        """Take a STUN message; gives what goes back to where it came from, if anything."""
        try:
            message = StunMessage.parse(datagram)
        except RemoteProtocolError:
            self._drop("stun_malformed")
            return None
        if message.kind == BINDING_INDICATION:  # keeps a binding of a NAT alive
            return None
        if message.kind != BINDING_REQUEST:
            self._drop("stun_unasked")
        elif message.get(USERNAME) != self._username or not is_authentic(datagram, self._key):
            self._drop("stun_forged")
        else:
            return self._answer(message, source)
        return None

    def _answer(self, request: StunMessage, source: Address) -> bytes:
        if unknown := request.unknown():
            listed = b"".join(number.to_bytes(2, "big") for number in unknown)
            refusal = (ERROR_CODE, error_code(420, "Unknown Attribute"))
            return self._write(request, BINDING_ERROR, (refusal, (UNKNOWN_ATTRIBUTES, listed)))
        if request.get(ICE_CONTROLLED) is not None:  # section 7.3.1.1: lite never controls
            refusal = (ERROR_CODE, error_code(487, "Role Conflict"))
            return self._write(request, BINDING_ERROR, (refusal,))
        self._prove(source)
        if request.get(USE_CANDIDATE) is not None:
            self._nominated = source
        seen = xor_address(*source, request.transaction)
        return self._write(request, BINDING_SUCCESS, ((XOR_MAPPED_ADDRESS, seen),))

    def _prove(self, source: Address) -> None:
        if source in self._sources:
            return
        self._sources.append(source)
        if len(self._sources) > MOST_SOURCES:
            oldest = next(known for known in self._sources if known != self._nominated)
            self._sources.remove(oldest)

    def _write(self, request: StunMessage, kind: int, attributes: Attributes) -> bytes:
        return StunMessage(kind, request.transaction, attributes).to_bytes(self._key)

    def _drop(self, why: str) -> None:
        self.dropped[why] = self.dropped.get(why, 0) + 1
