"""One request outside any dialog, and its final answer: OPTIONS and REGISTER of ours."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opensip.errors import OpenSipError, TransactionTimeout, TransportFailed
from opensip.sip.dialog import MAX_FORWARDS
from opensip.sip.flow import Flow
from opensip.sip.headers import Headers
from opensip.sip.message import Request, Response
from opensip.sip.transaction import TransactionKey
from opensip.sip.uri import NameAddr, Uri
from opensip.sip.usage import Authorize, authorized, with_credentials
from opensip.ua.core import Core
from opensip.ua.ways import Ways


@dataclass(frozen=True, slots=True)
class Answer:
    """A final response, the flow it came by, and the request as it was sent last."""

    response: Response
    flow: Flow
    request: Request
    seconds: float  # from sending to answer


class _Waiting:
    """The asker that hands one final response to who waits."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def receive_response(self, response: Response) -> None:
        """Take a response; provisional ones say nothing."""
        if response.status >= 200 and not self.answered.done():
            self.answered.set_result(response)

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that none will come."""
        if not self.answered.done():
            self.answered.set_exception(
                TransactionTimeout(f"no answer to {key.method} in time")
                if status == 408
                else TransportFailed(f"{key.method} could not be delivered")
            )


async def ask(
    core: Core, request: Request, flow: Flow, *, authorize: Authorize | None = None
) -> Answer:
    """Send a request by a flow and wait; a challenge is answered as `authorize` says.

    Raises TransactionTimeout or TransportFailed.
    """
    loop = asyncio.get_running_loop()
    while True:
        waiting, sent = _Waiting(), loop.time()
        core.ask(request, flow, waiting)
        response = await waiting.answered
        credentials = authorized(request, response, authorize)
        if credentials is None:
            return Answer(response, flow, request, loop.time() - sent)
        request = with_credentials(request, request.cseq.number + 1, credentials)


async def ask_any(
    core: Core,
    make: Callable[[Flow], Request],
    ways: Ways,
    *,
    authorize: Authorize | None = None,
) -> Answer:
    """Ask the targets of a destination in turn until one answers other than 503.

    `make` makes the request for a flow. Raises what `ask` raises of the last target.
    """
    failure: OpenSipError | None = None
    while ways.has_more:
        try:
            flow = await ways.next_flow()
            answer = await ask(core, make(flow), flow, authorize=authorize)
        except (TransactionTimeout, TransportFailed) as error:
            ways.failed()
            failure = error
            continue
        if answer.response.status != 503:
            ways.answered()
            return answer
        ways.failed(answer.response)
        if not ways.has_more:
            return answer
    raise failure or TransportFailed("no target is left")


def make_request(
    method: str,
    uri: Uri,
    *,
    from_: Uri,
    to: Uri,
    tag: str,
    call_id: str,
    cseq: int,
    headers: Iterable[tuple[str, str]],
) -> Request:
    """Make a request outside any dialog, without Via."""
    items = [
        ("Max-Forwards", str(MAX_FORWARDS)),
        ("From", str(NameAddr(None, from_).with_tag(tag))),
        ("To", str(NameAddr(None, to))),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
        *headers,
    ]
    return Request(method, uri, Headers(items))
