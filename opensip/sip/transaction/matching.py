"""Which transaction a message belongs to: RFC 3261 sections 17.1.3, 17.2.3 and 8.2.2.2."""

from opensip.sip.fields import MAGIC_COOKIE
from opensip.sip.message import Request, Response
from opensip.sip.transaction import TransactionKey

MergeKey = tuple[str, str | None, int, str]


def key_of_request(request: Request) -> TransactionKey:
    """Give the key of the server transaction that takes the request.

    An ACK has the key of its INVITE. A branch without the magic cookie is of RFC 2543: then
    what the old rules compare stands in for it (Request-URI, From tag, Call-ID, CSeq number,
    top Via). The To tag is left out, for the ACK's differs from the INVITE's.
    """
    via = request.via
    branch = via.branch or ""
    if not branch.startswith(MAGIC_COOKIE) or branch == MAGIC_COOKIE:
        old = (request.uri, request.from_.tag, request.call_id, request.cseq.number, via)
        branch = "|".join(map(str, old))
    method = "INVITE" if request.method == "ACK" else request.method
    return TransactionKey("server", branch, method, via.sent_by.lower())


def key_of_response(response: Response) -> TransactionKey:
    """Give the key of the client transaction that takes the response."""
    return TransactionKey("client", response.via.branch or "", response.cseq.method)


def merge_key(request: Request) -> MergeKey | None:
    """Give what two copies of one request have in common that came over different paths.

    None for a request within a dialog: those do not fork.
    """
    if request.to.tag is not None:
        return None
    return request.call_id, request.from_.tag, request.cseq.number, request.method
