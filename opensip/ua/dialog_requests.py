"""Requests within a call that are none of its INVITE's: INFO, REFER, NOTIFY, OPTIONS."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from opensip.errors import RemoteProtocolError
from opensip.sip.invite_events import State
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.message import Request
from opensip.sip.multipart import parts_of
from opensip.sip.transaction import TransactionKey
from opensip.ua.core import Core
from opensip.ua.courier import Courier
from opensip.ua.options import ALLOW, capabilities
from opensip.ua.refer import IncomingRefer, OutgoingRefer

Fields = Iterable[tuple[str, str]]
OnInfo = Callable[[str, bytes], None]
OnRefer = Callable[[IncomingRefer], Awaitable[None] | None]


class Owner(Protocol):
    """The session, as its user has set it up."""

    on_info: OnInfo | None
    on_refer: OnRefer | None


class DialogRequests:
    """Answers what the peer asks within a call. `refers` are those that we have sent."""

    def __init__(
        self,
        owner: Owner,
        *,
        core: Core,
        courier: Courier,
        usage: InviteUsage,
    ) -> None:
        self.refers: list[OutgoingRefer] = []
        self._owner = owner
        self._core = core
        self._courier = courier
        self._usage = usage
        self._dialog = usage.dialog

    def take(self, key: TransactionKey, request: Request) -> None:
        """Answer a request."""
        match request.method:
            case "INFO":
                self._respond(key, request, 200)
                self._take_info(request)
            case "REFER":
                self._take_refer(key, request)
            case "NOTIFY":
                self._take_notify(key, request)
            case "OPTIONS":
                self._respond(key, request, 200, headers=capabilities())
            case _:
                self._respond(key, request, 405, headers=[("Allow", ALLOW)])

    def _take_info(self, request: Request) -> None:
        try:
            parts = parts_of(request.headers, request.body)
        except RemoteProtocolError:  # it said that we need not understand its body
            return
        for part in parts:
            if self._owner.on_info is not None:
                self._owner.on_info(part.content_type, part.body)

    def _take_notify(self, key: TransactionKey, request: Request) -> None:
        matching = [refer for refer in reversed(self.refers) if refer.matches(request)]
        if not matching:
            self._respond(key, request, 481)  # RFC 6665 section 4.1.3: no such subscription
        else:
            # Without an id it may be of several: of the last that is not over.
            min(matching, key=lambda refer: refer.is_over).receive_notify(key, request)

    def _take_refer(self, key: TransactionKey, request: Request) -> None:
        usage = self._usage
        try:
            refer = IncomingRefer(
                self._courier,
                self._dialog,
                key,
                request,
                is_alive=lambda: usage.state is State.ESTABLISHED,
            )
        except RemoteProtocolError as error:
            self._respond(key, request, error.sip_status, reason=error.reason)
            return
        work = self._owner.on_refer(refer) if self._owner.on_refer is not None else None
        if work is not None:
            self._core.spawn(_see_through(work, refer))
        elif refer.is_open:
            refer.reject()

    def _respond(
        self,
        key: TransactionKey,
        request: Request,
        status: int,
        *,
        reason: str | None = None,
        headers: Fields = (),
    ) -> None:
        response = self._dialog.create_response(request, status, reason, headers=headers)
        self._core.respond(key, response)


async def _see_through(work: Awaitable[None], refer: IncomingRefer) -> None:
    """Let the user decide on a REFER; what it leaves undecided is refused."""
    try:
        await work
    finally:
        if refer.is_open:
            refer.reject()
