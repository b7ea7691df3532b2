"""An INFO of ours within a call (RFC 6086), and its answer."""

import asyncio

from opensip.sip.dialog import Dialog
from opensip.sip.message import Request, Response
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Authorize, authorized, with_credentials
from opensip.ua.courier import Courier


class _Waiting:
    """The asker that hands one final status to who waits."""

    def __init__(self) -> None:
        self.status: asyncio.Future[int | Response] = asyncio.get_running_loop().create_future()

    def receive_response(self, response: Response) -> None:
        """Take a response; provisional ones say nothing."""
        if response.status >= 200 and not self.status.done():
            self.status.set_result(response)

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that none will come."""
        if not self.status.done():
            self.status.set_result(status)


async def send_info(
    courier: Courier,
    dialog: Dialog,
    content_type: str,
    body: bytes,
    *,
    authorize: Authorize | None = None,
) -> int:
    """Send an INFO and wait; a challenge is answered as `authorize` says.

    Returns the final status: 408 where none came, 503 where it could not be delivered.
    """
    request: Request | None = dialog.create_request("INFO", body=body, content_type=content_type)
    status = 0
    while request is not None:
        waiting = _Waiting()
        courier.send(request, waiting)
        outcome = await waiting.status
        if isinstance(outcome, int):
            return outcome
        status = outcome.status
        request = _answered(dialog, request, outcome, authorize)
    return status


def _answered(
    dialog: Dialog, request: Request, response: Response, authorize: Authorize | None
) -> Request | None:
    """Make the request that answers a challenge, if there is one to answer."""
    credentials = authorized(request, response, authorize)
    if credentials is None:
        return None
    dialog.local_cseq += 1
    return with_credentials(request, dialog.local_cseq, credentials)
