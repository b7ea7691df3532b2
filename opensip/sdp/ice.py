"""ICE in descriptions: RFC 8839. We are lite: one host candidate for each port, and no checks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from opensip.errors import RemoteProtocolError
from opensip.sdp.description import (
    MediaDescription,
    SessionDescription,
    canonical,
    parse_integer,
)

RTP, RTCP = 1, 2  # components

MOST_PLACES = 8  # as many as prove themselves, see rtp/ice_lite.py

_ICE_CHAR = r"[0-9A-Za-z+/]"
_UFRAG = re.compile(rf"{_ICE_CHAR}{{4,256}}")
_PASSWORD = re.compile(rf"{_ICE_CHAR}{{22,256}}")
_CANDIDATE = re.compile(
    rf"({_ICE_CHAR}{{1,32}}) +([0-9]{{1,3}}) +([^ ]+) +([0-9]{{1,10}}) +([^ ]+) +([0-9]{{1,5}})"
    r" +typ +([^ ]+)( .*)?"
)
_HOST = 126 << 24 | 0xFFFF << 8  # RFC 8445 section 5.1.2.1: of a host with one address
_DISCARD = 9  # the port of a peer that tells its candidates later (RFC 8840 section 4.1.1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One a=candidate line (section 5.1), without its extensions."""

    foundation: str
    component: int
    transport: str
    priority: int
    address: str
    port: int
    kind: str

    @classmethod
    def parse(cls, value: str) -> "Candidate":
        """Read the value of a=candidate. Raises RemoteProtocolError."""
        found = _CANDIDATE.fullmatch(value.strip())
        if not found:
            raise RemoteProtocolError(f"SDP candidate {value[:60]!r} is malformed")
        return cls(
            found[1],
            parse_integer(found[2], "component", 1, 256),
            found[3],
            parse_integer(found[4], "priority", 1, 2**31 - 1),
            canonical(found[5]),
            parse_integer(found[6], "port", 0, 65535),
            found[7],
        )

    def __str__(self) -> str:
        return (
            f"{self.foundation} {self.component} {self.transport} {self.priority} "
            f"{self.address} {self.port} typ {self.kind}"
        )


@dataclass(frozen=True, slots=True)
class IcePeer:
    """What a peer that does ICE says of itself."""

    ufrag: str
    password: str = field(repr=False)
    lite: bool = False
    candidates: tuple[Candidate, ...] = ()

    @property
    def places(self) -> frozenset[tuple[str, int]]:
        """Where its RTP may come from, by the first candidates."""
        mine = (c for c in self.candidates if c.component == RTP)
        return frozenset((c.address, c.port) for c in islice(mine, MOST_PLACES))

    def fits(self, address: str, port: int) -> bool:
        """Tell whether the default address is a candidate, else somebody in between changed it.

        Section 4.2.5. A peer may also tell its candidates later, or never.
        """
        mine = [c for c in self.candidates if c.component == RTP]
        address = canonical(address)
        return (
            port == _DISCARD or not mine or (address, port) in ((c.address, c.port) for c in mine)
        )


def read_ice(described: SessionDescription, media: MediaDescription) -> IcePeer | None:
    """Read what the peer says of ICE; None where that is nothing, or nothing usable."""
    ufrag = media.get("ice-ufrag") or described.get("ice-ufrag") or ""
    password = media.get("ice-pwd") or described.get("ice-pwd") or ""
    if not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        return None
    lite = described.get("ice-lite") is not None
    return IcePeer(ufrag, password, lite, tuple(_candidates(media)))


def ice_attributes(
    ufrag: str, password: str, address: str, port: int, *, mux: bool
) -> Iterator[tuple[str, str]]:
    """Write what stands in the media section; a=ice-lite stands at the session level."""
    yield "ice-ufrag", ufrag
    yield "ice-pwd", password
    for component in (RTP,) if mux else (RTP, RTCP):
        yield (
            "candidate",
            str(
                Candidate(
                    "1",
                    component,
                    "UDP",
                    _HOST + 256 - component,
                    address,
                    port + component - 1,
                    "host",
                )
            ),
        )


def _candidates(media: MediaDescription) -> Iterator[Candidate]:
    """Give those that can be read: one of another time or kind must not cost the call."""
    for value in media.get_all("candidate"):
        try:
            yield Candidate.parse(value)
        except RemoteProtocolError:
            continue
