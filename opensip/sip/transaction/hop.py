"""What is of one hop alone: Via, the way back of a response, ACK of a failure, CANCEL."""

from opensip.sip.flow import Flow
from opensip.sip.headers import Headers
from opensip.sip.message import Request, Response

_DEFAULT_PORT = 5060
_OF_VIA = frozenset({"headers", "via", "vias"})


def send_via(request: Request, flow: Flow, sent_by: str, branch: str) -> Request:
    """Put our Via on top (RFC 3261 section 18.1.1), asking for rport (RFC 3581)."""
    via = f"SIP/2.0/{flow.transport} {sent_by};branch={branch};rport"
    return request.with_headers(request.headers.prepend("Via", via))


def receive_via(request: Request, flow: Flow) -> Request:
    """Note in the top Via where the request came from (section 18.2.1, RFC 3581 section 4)."""
    via, (host, port) = request.via, flow.remote
    asked = via.params.has("rport")
    if not asked and via.host == host and not via.params.has("received"):
        return request
    via = via.with_param("received", host)
    if asked:
        via = via.with_param("rport", str(port))
    noted = request.with_headers(request.headers.replace_top("Via", str(via)))
    # What is parsed already is the same in both: reading it again would cost as much as a call.
    vars(noted).update((name, v) for name, v in vars(request).items() if name not in _OF_VIA)
    vars(noted)["via"] = via
    return noted


def way_back(request: Request, flow: Flow) -> Flow:
    """Tell where responses go: section 18.2.2, RFC 3581 section 4.

    Where the peer did not ask for rport: to the port of its Via. maddr is not followed, for it
    would let a stranger aim our responses at anyone.
    """
    via = request.via
    if flow.reliable or via.params.has("rport"):
        return flow
    return Flow(flow.transport, flow.local, (flow.remote[0], via.port or _DEFAULT_PORT))


def failure_ack(invite: Request, response: Response) -> bytes:
    """Write the ACK of a failure response (section 17.1.1.3)."""
    to = response.headers.get("To") or ""
    return _follower(invite, "ACK", to).to_bytes()


def cancel_of(invite: Request) -> Request:
    """Make the CANCEL of an INVITE (section 9.1)."""
    return _follower(invite, "CANCEL", invite.headers.get("To") or "")


def _follower(invite: Request, method: str, to: str) -> Request:
    headers, via = invite.headers, invite.headers.values("Via")[0]
    items = [
        ("Via", via),
        ("Max-Forwards", "70"),
        ("From", headers.get("From") or ""),
        ("To", to),
        ("Call-ID", invite.call_id),
        ("CSeq", f"{invite.cseq.number} {method}"),
        *(("Route", route) for route in headers.get_all("Route")),
    ]
    return Request(method, invite.uri, Headers(items))
