"""Where a peer may have its media sent: to one host, that is not ourselves (RFC 4566, RFC 6890)."""

import ipaddress
from functools import lru_cache

from opensip.errors import NegotiationError

MULTICAST = 330  # RFC 3261 section 20.43: "Multicast not available"
MISCELLANEOUS = 399

_BROADCAST = ipaddress.ip_address("255.255.255.255")
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: IPv4 hosts, in a reserved block


def check_place(address: str, *, ours: tuple[str, ...]) -> None:
    """Refuse what is no place for media: else a description makes us send to whom it likes.

    `ours` are our own addresses of media. A host that is on its loopback, or on a link alone, may
    meet others there. Raises NegotiationError.
    """
    kind = _kind(address)
    if not kind or (kind in ("loopback", "link-local") and kind in map(_kind, ours)):
        return
    code = MULTICAST if kind == "multicast" else MISCELLANEOUS
    raise NegotiationError(
        f"offered media at {address}, a {kind} address; we send to one host each", warning_code=code
    )


def check_not_ours(place: tuple[str, int], *, address: str, port: int) -> None:
    """Refuse our own ports of the same call, where we should hear ourselves."""
    if place[0] == address and place[1] in (port, port + 1):
        raise NegotiationError(
            f"offered media at {place[0]}:{place[1]}, which is ours", warning_code=MISCELLANEOUS
        )


@lru_cache(maxsize=1024)
def _kind(address: str) -> str:
    """Name what makes an address unfit; "" where nothing does."""
    found = ipaddress.ip_address(address)
    if (mapped := getattr(found, "ipv4_mapped", None)) is not None:
        return _kind(str(mapped)) or "reserved"  # RFC 4291 section 2.5.5.2: no address of a network
    if found in _TRANSLATED:
        return ""
    told = {
        "multicast": found.is_multicast,
        "broadcast": found == _BROADCAST,
        "loopback": found.is_loopback,
        "link-local": found.is_link_local,
        "reserved": found.is_reserved or found in _THIS_NETWORK,
    }
    return next((kind for kind, is_so in told.items() if is_so), "")
