"""What we can do, and what is refused because we cannot: RFC 3261 sections 8.2 and 11."""

import re
from dataclasses import dataclass

from opensip.errors import RemoteProtocolError
from opensip.sip.message import Request
from opensip.sip.multipart import SDP, is_optional, parts_of
from opensip.sip.session_timer import SessionTimer
from opensip.sip.uri import Uri

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, INFO, UPDATE, PRACK"
ACCEPT = (
    "application/sdp, multipart/mixed, multipart/alternative, application/dtmf-relay, "
    "application/dtmf, message/sipfrag"
)
SUPPORTED = "100rel, timer, norefersub"
CAPABILITIES = (("Allow", ALLOW), ("Supported", SUPPORTED))
RETRY_AFTER = 30  # seconds

_ALLOWED = frozenset(ALLOW.split(", "))
_EXTENSIONS = frozenset(SUPPORTED.split(", "))
_KNOWN = _ALLOWED | {"REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE"}
_SCHEMES = frozenset({"sip", "sips", "tel"})
_ENCRYPTED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})  # section 23.2
_MULTIPART = frozenset({"multipart/mixed", "multipart/alternative"})
_DESCRIPTIONS = _MULTIPART | {SDP}
_BODIES = {
    "INVITE": _DESCRIPTIONS,
    "UPDATE": _DESCRIPTIONS,
    "PRACK": _DESCRIPTIONS,
    "INFO": frozenset({"application/dtmf-relay", "application/dtmf"}),
    "NOTIFY": frozenset({"message/sipfrag"}),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status to answer with, and the headers that tell what would have been accepted."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    reason: str | None = None


UNAVAILABLE = Refusal(503, (("Retry-After", str(RETRY_AFTER)),))


def capabilities() -> tuple[tuple[str, str], ...]:
    """Name what we can do, as the answer to OPTIONS tells it (section 11.2)."""
    return (
        ("Allow", ALLOW),
        ("Accept", ACCEPT),
        ("Accept-Encoding", "identity"),
        ("Accept-Language", "en"),
        ("Supported", SUPPORTED),
    )


def screen(request: Request) -> Refusal | None:
    """Refuse what this user agent cannot do, in the order of section 8.2."""
    if request.method not in _ALLOWED:
        return Refusal(405 if request.method in _KNOWN else 501, (("Allow", ALLOW),))
    if request.uri.scheme not in _SCHEMES and not _is_emergency_service(request.uri):
        return Refusal(416)
    wanted = request.headers.values("Require") if request.headers.has("Require") else ()
    unknown = [tag for tag in wanted if tag and tag.lower() not in _EXTENSIONS]
    if unknown and request.method not in ("ACK", "CANCEL"):
        return Refusal(420, (("Unsupported", ", ".join(unknown)),))
    if request.headers.has("Info-Package") and request.method == "INFO":
        return Refusal(469, (("Recv-Info", ""),))  # RFC 6086 section 4.2.2: we take none
    return _screen_body(request) if request.body else None


def screen_interval(request: Request) -> Refusal | None:
    """Refuse a first INVITE whose session timer is too short for us (RFC 4028 section 9)."""
    timer = SessionTimer()
    return Refusal(422, (timer.min_se,)) if timer.is_too_short(request) else None


def _is_emergency_service(uri: Uri) -> bool:
    """Let calls for help through to where it is decided what becomes of them (RFC 5031)."""
    return uri.scheme == "urn" and re.match(r"(?i)service:(test\.)?sos\b", uri.opaque) is not None


def _screen_body(request: Request) -> Refusal | None:
    encoding = (request.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding != "identity":
        return Refusal(415, (("Accept-Encoding", "identity"),))
    accepted = _BODIES.get(request.method)
    content_type = request.content_type
    if accepted is None or (content_type in accepted and content_type not in _MULTIPART):
        return None
    return None if is_optional(request.headers) else _screen_parts(request, accepted)


def _screen_parts(request: Request, accepted: frozenset[str]) -> Refusal | None:
    try:
        parts = parts_of(request.headers, request.body)
    except RemoteProtocolError as error:
        return Refusal(error.sip_status, (), error.reason)
    if any(part.content_type in _ENCRYPTED for part in parts):
        return Refusal(493)
    # A part that we can use is enough: what carriers add to it rarely says that it is optional.
    if all(part.is_optional for part in parts) or any(p.content_type in accepted for p in parts):
        return None
    return Refusal(415, (("Accept", ", ".join(sorted(accepted))),))
