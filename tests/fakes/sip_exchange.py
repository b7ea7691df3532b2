"""Requests and responses in one line each."""

from opensip.sip.flow import Flow
from opensip.sip.headers import Headers
from opensip.sip.message import Request, Response, response_to
from opensip.sip.uri import Uri

UDP = Flow("UDP", ("192.0.2.2", 5060), ("192.0.2.1", 5060))
TCP = Flow("TCP", ("192.0.2.2", 5060), ("192.0.2.1", 40000), 7)


def make_request(
    method: str = "INVITE",
    *,
    branch: str | None = "z9hG4bKone",
    cseq: int = 1,
    to_tag: str | None = None,
    from_tag: str = "from1",
    call_id: str = "call1",
    via: str | None = None,
    uri: str = "sip:bob@192.0.2.2",
    contact: str | None = "<sip:alice@192.0.2.1:5060>",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> Request:
    """Make a request from alice to bob; `branch` None leaves Via out."""
    items = []
    if branch is not None:
        items.append(("Via", via or f"SIP/2.0/UDP 192.0.2.1:5060;branch={branch};rport"))
    items += [
        ("Max-Forwards", "70"),
        ("From", f"<sip:alice@example.com>;tag={from_tag}"),
        ("To", "<sip:bob@example.com>" + (f";tag={to_tag}" if to_tag else "")),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
    ]
    if contact:
        items.append(("Contact", contact))
    items.extend(headers)
    return Request(method, Uri.parse(uri), Headers(items), body)


def answer_to(
    request: Request,
    status: int,
    *,
    to_tag: str = "to1",
    contact: str | None = "<sip:bob@192.0.2.2:5070>",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> Response:
    """Make bob's response."""
    items = [("Contact", contact)] if contact else []
    return response_to(request, status, to_tag=to_tag, headers=[*items, *headers], body=body)
