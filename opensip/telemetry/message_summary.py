"""One line for a SIP message: what it is, what it is about, what its SDP says."""

import re
from dataclasses import dataclass
from typing import Literal

from opensip.errors import RemoteProtocolError
from opensip.sdp.description import MediaDescription, SessionDescription
from opensip.sip.message import Message, Request, Response, parse_message

MessageKind = Literal["request", "provisional", "success", "failure"]

_STATUS_LINE = re.compile(r"SIP/2\.0 [1-6][0-9]{2}[^\r\n]*")
_LENGTH = re.compile(r"\r\n(?:content-length|l)[ \t]*:[^\r\n]*", re.IGNORECASE)
_SIGNAL = re.compile(r"(?im)^\s*(?:Signal\s*=\s*)?([0-9*#A-D])\s*$")
_TOLD = ("Reason", "Retry-After", "Warning", "Session-Expires", "RSeq", "RAck")


@dataclass(frozen=True, slots=True)
class Summary:
    """`title` is method, or status and reason; `call_id` is "" where none can be read."""

    title: str
    details: tuple[str, ...]
    kind: MessageKind
    call_id: str = ""


def summarise(text: str) -> Summary:
    """Sum up a message as it stands in a journal; one that cannot be read keeps its first line."""
    head, blank, body = text.partition("\r\n\r\n")
    head = _LENGTH.sub("", head)  # masking changed the body's
    try:
        message = parse_message(f"{head}{blank}{body}".encode("utf-8", "surrogateescape"))
        return _summary(message, text)
    except RemoteProtocolError as error:
        return Summary(text.partition("\r\n")[0][:80], (f"unreadable: {error}",), "request")


def _summary(message: Message, text: str) -> Summary:
    sequence = message.cseq
    about = [*_about(message), *_body(message, text)]
    match message:
        case Request():
            details = (f"cseq {sequence.number}", *about)
            return Summary(message.method, details, "request", message.call_id)
        case Response():
            title = f"{message.status} {message.reason}".rstrip()
            details = (f"to {sequence.method} {sequence.number}", *about)
            return Summary(title, details, _kind(message.status), message.call_id)


def _kind(status: int) -> MessageKind:
    if status < 200:
        return "provisional"
    return "success" if status < 300 else "failure"


def _about(message: Message) -> list[str]:
    """Pick the fields that explain why a message was sent."""
    headers, told = message.headers, []
    if headers.has("Authorization") or headers.has("Proxy-Authorization"):
        told.append("with credentials")
    if headers.has("WWW-Authenticate") or headers.has("Proxy-Authenticate"):
        told.append("challenge")
    if (refer_to := headers.get("Refer-To")) is not None:
        told.append(f"refer to {_uri_alone(refer_to)}")
        told += ["replaces a call"] if "replaces=" in refer_to.lower() else []
    if headers.has("Replaces"):
        told.append("replaces a call")
    if isinstance(message, Request) and (state := headers.get("Subscription-State")):
        told.append(state)
    if "100rel" in (headers.get("Require") or "").lower():
        told.append("reliable")
    told += [f"{name} {value}" for name in _TOLD if (value := headers.get(name)) is not None]
    return told


def _uri_alone(value: str) -> str:
    """Leave out what is escaped into a URI: context fills pages."""
    inside = value.partition("<")[2].partition(">")[0] or value
    return inside.partition("?")[0]


def _body(message: Message, text: str) -> list[str]:
    if not message.body:
        return []
    match message.content_type:
        case "message/sipfrag":
            found = _STATUS_LINE.search(text.partition("\r\n\r\n")[2])
            return [f"says {found[0].removeprefix('SIP/2.0 ')}"] if found else ["sipfrag"]
        case "application/dtmf-relay" | "application/dtmf":
            found = _SIGNAL.search(message.body.decode("ascii", "replace"))
            return [f"digit {found[1]}"] if found else ["digit?"]
    start = message.body.find(b"v=0")  # of a part, where there are several
    if start < 0:
        return [message.content_type or "body without type"]
    return _session(message.body[start:].partition(b"\r\n--")[0])


def _session(data: bytes) -> list[str]:
    try:
        session = SessionDescription.parse(data)
        return [_media(session, media) for media in session.media] or ["SDP without media"]
    except RemoteProtocolError as error:
        return [f"unreadable SDP: {error}"]


def _media(session: SessionDescription, media: MediaDescription) -> str:
    """Name kind, codecs, encryption and hold of one m= line."""
    if media.port == 0:
        return f"{media.kind} refused"
    words = [media.kind, *(_codecs(media) if "RTP/" in media.protocol else media.formats)]
    suites = [value.split()[1:2] for value in media.get_all("crypto")]
    if suites or "SAVP" in media.protocol:
        words += ["SRTP", *(suites[0] if suites else ())]
    if len(suites) > 1:
        words.append(f"(+{len(suites) - 1})")
    return " ".join(words + _direction(session, media))


def _codecs(media: MediaDescription) -> list[str]:
    names = dict.fromkeys(form.encoding_name for form in media.payload_formats().values())
    return ["dtmf" if name == "telephone-event" else name for name in names]


def _direction(session: SessionDescription, media: MediaDescription) -> list[str]:
    if (media.connection or session.connection) in ("0.0.0.0", "::"):  # noqa: S104 - the old hold
        return ["hold (0.0.0.0)"]
    for word in ("sendonly", "inactive", "recvonly"):
        if media.get(word) is not None or session.get(word) is not None:
            return [f"hold ({word})" if word != "recvonly" else word]
    return []
