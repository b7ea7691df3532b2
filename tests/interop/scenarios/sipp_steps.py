"""SIPp's scenarios from their parts: what it sends, what must come, and what that must hold."""

from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

CALLED = "<sip:echo@[remote_ip]:[remote_port]>"
DIALLED = "sip:echo@[remote_ip]:[remote_port]"  # the Request-URI of a call to us
OFFER = """v=0
o=sipp 1 {version} IN IP4 [local_ip]
s=-
c=IN IP4 {address}
t=0 0
m=audio {port} RTP/AVP {formats}
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
{more}"""


def sdp(
    *, version: int = 1, address: str = "[media_ip]", port: str = "[media_port]",
    formats: str = "0 8", more: str = "",
) -> str:  # fmt: skip
    """Describe SIPp's side; `more` is lines at the end, each with its line break."""
    return OFFER.format(version=version, address=address, port=port, formats=formats, more=more)


def request(
    method: str, cseq: int, *, uri: str = "[next_url]", branch: str = "", to: str = CALLED,
    extra: str = "", body: str = "", kind: str = "application/sdp", routes: bool = True,
) -> str:  # fmt: skip
    """Compose a request of SIPp as caller. ACKs of refusals and CANCELs name their `branch`."""
    lines = [
        f"{method} {uri} SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]"
        f"{branch or f'{method}{cseq}'};rport",
        "Max-Forwards: 70",
        "From: <sip:+15550002222@[local_ip]>;tag=[pid]",
        f"To: {to}[peer_tag_param]",
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        "Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>",
        *(["[routes]"] if routes and uri == "[next_url]" else []),
        *extra.splitlines(),
        *([f"Content-Type: {kind}"] if body else []),
        "Content-Length: [len]" if body else "Content-Length: 0",
    ]
    return "\n".join(lines) + "\n\n" + body


def invite(cseq: int = 1, *, body: str | None = None, uri: str = DIALLED, **parts: str) -> str:
    """Compose an INVITE, by default the first with an offer of PCMU and PCMA."""
    return request("INVITE", cseq, uri=uri, body=sdp() if body is None else body, **parts)


def again(cseq: int = 2, *, body: str | None = None, **parts: str) -> str:
    """Compose a re-INVITE."""
    offer = sdp(version=cseq) if body is None else body
    return request("INVITE", cseq, body=offer, **parts)


def ack(cseq: int = 1, **parts: str) -> str:
    """Compose the ACK of a 2xx, or with `refused` below that of a refusal."""
    return request("ACK", cseq, **parts)


def refused(status: int, cseq: int = 1, uri: str = DIALLED, **holds: str) -> list[str]:
    """Have an INVITE refused with headers that hold so much, and acknowledge it."""
    acknowledge = request("ACK", cseq, uri=uri, branch=f"INVITE{cseq}")
    return [receive(status, **holds), send(acknowledge)]


def response(status: str, *, tag: bool = True, extra: str = "", body: str = "") -> str:
    """Compose a response of SIPp as callee to what it received last."""
    lines = [
        f"SIP/2.0 {status}",
        "[last_Via:]",
        "[last_Record-Route:]",
        "[last_From:]",
        "[last_To:];tag=[pid]" if tag else "[last_To:]",
        "[last_Call-ID:]",
        "[last_CSeq:]",
        "Contact: <sip:desk@[local_ip]:[local_port];transport=[transport]>",
        *extra.splitlines(),
        *(["Content-Type: application/sdp", "Content-Length: [len]"] if body else []),
        *([] if body else ["Content-Length: 0"]),
    ]
    return "\n".join(lines) + "\n\n" + body


def back(method: str, cseq: int, *, extra: str = "", body: str = "", branch: str = "") -> str:
    """Compose a request of SIPp as callee, within the call whose ends were `remembered`."""
    text = request(method, cseq, extra=extra, body=body, branch=branch or f"back{method}{cseq}")
    ends = {"From: ": "From: [$to]", "To: ": "To: [$from]"}
    lines = text.split("\n")
    for number, line in enumerate(lines):
        lines[number] = next((end for name, end in ends.items() if line.startswith(name)), line)
    return "\n".join(lines)


def remembered(**holds: str) -> str:
    """Wait for the ACK of a 200, and keep who both ends are for `back`."""
    keep = "".join(
        f'<ereg regexp=".*" search_in="hdr" header="{name.title()}:" assign_to="{name}"/>'
        f'<log message="[${name}]"/>'
        for name in ("from", "to")
    )
    checks = _checks(holds)
    return f'<recv request="ACK" timeout="20000"><action>{keep}{checks}</action></recv>'


def send(text: str, *, retransmitted: bool = False) -> str:
    """Send a message, once or until there is an answer."""
    attribute = ' retrans="500"' if retransmitted else ""
    return f"<send{attribute}><![CDATA[\n{text}\n]]></send>"


def receive(what: int | str, *, optional: bool = False, within: float = 20, **holds: str) -> str:
    """Wait for a response or a request, `within` seconds, whose parts match regular expressions.

    Each of `holds` names a header with `_` for `-`, or `body` or `start`; "" asks that there
    be none.
    """
    kind = "response" if isinstance(what, int) else "request"
    attributes = f'{kind}="{what}" timeout="{within * 1000:.0f}" rrs="true"'
    attributes += ' optional="true"' if optional else ""
    if what in (401, 407):
        attributes += ' auth="true"'
    return f"<recv {attributes}><action>{_checks(holds)}</action></recv>"


def _checks(holds: Mapping[str, str]) -> str:
    checks = []
    for number, (part, pattern) in enumerate(holds.items()):
        name, where = f"{part}{number}", 'search_in="msg"'
        if part not in ("body", "start"):
            where = f'search_in="hdr" header="{part.replace("_", "-")}:"'
        test = "check_it" if pattern else "check_it_inverse"
        checks.append(
            f"<ereg regexp={quoteattr(pattern or '.+')} {where} "
            f'{test}="true" assign_to="{name}"/><log message="[${name}]"/>'
        )
    return "".join(checks)


def ringing(**holds: str) -> list[str]:
    """Take what may come before the final response of an INVITE."""
    return [receive(100, optional=True), receive(180, optional=True, **holds)]


def answered(cseq: int = 1, **holds: str) -> list[str]:
    """Take the 200 of an INVITE, and acknowledge it."""
    return [receive(200, **holds), send(ack(cseq))]


def established(text: str = "", **holds: str) -> list[str]:
    """Make a call to us."""
    return [send(text or invite(), retransmitted=True), *ringing(), *answered(**holds)]


def changed(text: str, cseq: int = 2, **holds: str) -> list[str]:
    """Send a re-INVITE that is answered with what must hold."""
    return [
        send(text, retransmitted=True),
        receive(100, optional=True),
        *answered(cseq, **holds),
    ]


def ended(cseq: int = 9) -> list[str]:
    """Hang up."""
    return [send(request("BYE", cseq), retransmitted=True), receive(200)]


def scenario(*steps: str | list[str]) -> str:
    """Write steps as a file of SIPp."""
    flat = [one for step in steps for one in ([step] if isinstance(step, str) else step)]
    lines = "\n".join(flat)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="s">\n{lines}\n</scenario>\n'
