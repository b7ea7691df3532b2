"""The INVITE that begins a call of ours: RFC 3261 section 8.1.1."""

from collections.abc import Iterable

from opensip.sip.dialog import MAX_FORWARDS
from opensip.sip.headers import Headers
from opensip.sip.message import Request
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.options import ALLOW, SUPPORTED


def make_invite(
    to: Uri,
    from_: NameAddr,
    *,
    call_id: str,
    contact: str,
    user_agent: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> Request:
    """Make the request, without Via; `from_` has its tag, `body` is SDP."""
    items = [
        ("Max-Forwards", MAX_FORWARDS),
        ("From", str(from_)),
        ("To", str(NameAddr(None, to.without_headers()))),
        ("Call-ID", call_id),
        ("CSeq", "1 INVITE"),
        ("Contact", contact),
        ("Allow", ALLOW),
        ("Supported", SUPPORTED),
        ("User-Agent", user_agent),
        *headers,
        ("Content-Type", "application/sdp"),
    ]
    return Request("INVITE", to.without_headers(), Headers(items), body)
