"""A call within its dialog: both roles, from the first answer to the last BYE."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from opensip.errors import OpenSipError, TransactionTimeout
from opensip.sip.dialog import Dialog
from opensip.sip.flow import Flow
from opensip.sip.headers import Headers
from opensip.sip.invite_events import (
    Acknowledged,
    Ended,
    Event,
    RequestReceived,
    State,
)
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.message import Request, Response
from opensip.sip.multipart import description_of
from opensip.sip.refer_usage import PATIENCE, ReferProgress
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Authorize
from opensip.ua.alarm import Alarm
from opensip.ua.call_failed import CallFailed
from opensip.ua.core import Core, Stage
from opensip.ua.courier import Courier
from opensip.ua.dialog_requests import DialogRequests, OnInfo, OnRefer
from opensip.ua.info import send_info
from opensip.ua.negotiation import Negotiation, Negotiator
from opensip.ua.refer import IncomingRefer, OutgoingRefer
from opensip.ua.session_changes import SessionChanges

__all__ = ["IncomingRefer", "InviteSession", "ReferProgress", "SessionEnded"]

log = structlog.get_logger(__name__)

Fields = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """How it ended. `by` is "remote", "local" or "lost"; `headers` are those of the peer's BYE.

    `sip_status` is the final status of an INVITE that never became a session, else None.
    """

    by: str
    cause: str
    sip_status: int | None
    headers: Headers | None


class InviteSession:
    """A call as its user sees it, once it is answered.

    `invite` is the INVITE that began it; `peer_allows` holds the methods of the peer's Allow,
    none where it did not tell. `on_info` takes content type and body of each INFO; `on_refer`
    takes each REFER of the peer, and decides on it (without it, or where it does not decide,
    the answer is 603).
    """

    def __init__(
        self,
        core: Core,
        usage: InviteUsage,
        *,
        flow: Flow,
        returns: bool,
        invite: Request,
        peer: Request | Response,
        authorize: Authorize | None = None,
    ) -> None:
        self.invite = invite
        self.peer_allows = frozenset(m.upper() for m in peer.headers.values("Allow") if m)
        self.on_info: OnInfo | None = None
        self.on_refer: OnRefer | None = None
        self._core = core
        self._usage = usage
        self._courier = Courier(core, flow, returns=returns)
        self._authorize = authorize
        self._loop = asyncio.get_running_loop()
        me = weakref.proxy(self)  # our parts are no reason to keep us: who is free goes at once
        self._alarm = Alarm(partial(InviteSession._ring, me))
        self._negotiation = Negotiation()
        self._requests = DialogRequests(me, core=core, courier=self._courier, usage=usage)
        self._changes = SessionChanges(
            usage,
            self._negotiation,
            self._courier,
            step=partial(InviteSession._step, me),
            hang_up=partial(InviteSession.hang_up, me),
        )
        self._acknowledged: asyncio.Future[Acknowledged] = self._loop.create_future()
        self._ended: asyncio.Future[SessionEnded] = self._loop.create_future()
        self._cancelled: asyncio.Future[None] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        core.join(usage.dialog.id, self)

    @property
    def dialog(self) -> Dialog:
        """The dialog of the call."""
        return self._usage.dialog

    @property
    def flow(self) -> Flow:
        """Where the peer was heard last."""
        return self._courier.flow

    @property
    def is_early(self) -> bool:
        """True while the peer's INVITE waits for our final response."""
        return self._usage.state is State.EARLY

    @property
    def is_established(self) -> bool:
        """True from the answer until either side hangs up."""
        return self._usage.state is State.ESTABLISHED

    @property
    def stage(self) -> Stage:
        """How far the call is."""
        if self.is_early:
            return Stage.CALLED
        return Stage.TALKING if self.is_established else Stage.OVER

    # ---- what the user does

    async def wait_ended(self) -> SessionEnded:
        """Wait until the call is over, and tell how it ended."""
        return await asyncio.shield(self._ended)

    async def wait_closed(self) -> None:
        """Wait until the dialog is gone, our own BYE answered."""
        await asyncio.shield(self._closed)

    async def bye(self, headers: Fields = ()) -> None:
        """Hang up, and wait until the peer has answered the BYE, or its time is up."""
        self._usage.bye(headers=headers)
        self._step()
        await self.wait_closed()

    def hang_up(self, headers: Fields = ()) -> None:
        """Hang up without waiting."""
        self._usage.bye(headers=headers)
        self._step()

    async def reinvite(self, *, vital: bool = True) -> None:
        """Offer the session anew; raises CallFailed where the peer refuses, or it has ended.

        A change that is not `vital` leaves the session where the peer does not answer (CallFailed
        408), or what cannot be used (NegotiationError, RemoteProtocolError): offer what stood
        again then.
        """
        await self._changes.offer(update=False, vital=vital)

    async def update(self) -> None:
        """Do as `reinvite` does, by UPDATE where the peer takes that: it needs no ACK."""
        await self._changes.offer(update=True)

    async def refer(
        self,
        refer_to: str,
        headers: Sequence[tuple[str, str]] = (),
        *,
        timeout: float = PATIENCE,  # noqa: ASYNC109 - of the protocol: no final NOTIFY for so long
    ) -> AsyncIterator[ReferProgress]:
        """Ask the peer to call `refer_to` (a Refer-To value), and follow what comes of it.

        The last progress is final; a refusal raises nothing. `timeout` is how many seconds
        without a final NOTIFY mean that none will come.
        """
        if not self.is_established:
            yield ReferProgress("refer", 481, final=True)
            return
        refer = OutgoingRefer(
            self._courier,
            self.dialog,
            refer_to,
            headers=headers,
            patience=timeout,
            authorize=self._authorize,
        )
        self._requests.refers.append(refer)
        async for progress in refer.follow():
            yield progress

    async def info(self, content_type: str, body: bytes) -> int:
        """Send an INFO and tell its final status: 481 where the call is over, 408 for silence."""
        if not self.is_established:
            return 481
        return await send_info(
            self._courier, self.dialog, content_type, body, authorize=self._authorize
        )

    # ---- what the call that leads to it does

    def provisional(
        self, status: int, reason: str | None, *, headers: Fields, body: bytes, reliable: bool
    ) -> None:
        """Tell the caller how its INVITE is getting on."""
        now = self._loop.time()
        self._usage.provisional(
            status, reason, headers=headers, body=body, reliable=reliable, now=now
        )
        self._step()

    def reject(self, status: int, reason: str | None, *, headers: Fields) -> None:
        """Refuse the INVITE."""
        self._usage.reject(status, reason, headers=headers)
        self._step()

    async def accept(
        self, negotiator: Negotiator, body: bytes, *, headers: Fields
    ) -> "InviteSession":
        """Answer the INVITE with 200 and wait for the ACK, with the answer if we offered."""
        self._negotiation.begin(negotiator, description_of(self.invite), body)
        self._usage.answer(body, headers=headers, now=self._loop.time())
        self._step()
        await asyncio.wait((self._acknowledged, self._ended), return_when="FIRST_COMPLETED")
        if self._acknowledged.done():
            self._take_answer(self._acknowledged.result())
        elif self._ended.result().by == "lost":
            raise TransactionTimeout("no ACK came for our 200")
        return self

    def establish(self, negotiator: Negotiator, answer: bytes | None = None) -> None:
        """Begin as the caller: the callee's 2xx carried `answer`; None: all is agreed already."""
        self._acknowledged.cancel()  # nobody waits for the ACK of a first INVITE: there is none
        self._negotiation.begin(negotiator)
        self._step()
        if answer is not None:
            self._accept(answer)

    async def wait_cancelled(self) -> None:
        """Wait until the call ends before it was answered; for ever if it is answered."""
        await asyncio.shield(self._cancelled)

    # ---- what comes from the peer

    def receive_request(self, key: TransactionKey, request: Request, flow: Flow) -> None:
        """Take a new request of the dialog."""
        if flow.reliable and flow != self._courier.flow:
            self._courier.flow = flow  # the peer lost its connection and made a new one
        self._usage.receive_request(key, request, now=self._loop.time())
        self._step()

    def receive_ack(self, request: Request) -> None:
        """Take the ACK of a 2xx of ours."""
        self._usage.receive_ack(request, now=self._loop.time())
        self._step()

    def receive_cancel(self, request: Request) -> None:
        """Take the CANCEL of the INVITE that waits for our answer."""
        self._usage.receive_cancel(request)
        self._step()

    def receive_response(self, response: Response) -> None:
        """Take a response to a request of ours."""
        self._usage.receive_response(response, now=self._loop.time())
        self._step()

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that a transaction of ours came to nothing."""
        self._usage.transaction_failed(key, status)
        self._step()

    # ---- steps

    def _ring(self, now: float) -> None:
        self._usage.handle_timer(now=now)
        self._step()

    def _step(self) -> None:
        usage = self._usage
        self._courier.carry_out(usage.messages_to_send(), self)
        while (event := usage.next_event()) is not None:
            self._take(event)
            self._courier.carry_out(usage.messages_to_send(), self)
        self._alarm.set(usage.get_timer())
        if usage.state is State.ENDED and not self._closed.done():
            self._closed.set_result(None)
            self._core.leave(self.dialog.id)
            self.on_info = self.on_refer = None  # they lead to our user, and that to us

    def _take(self, event: Event) -> None:
        match event:
            case Acknowledged():
                self._take_ack(event)
            case RequestReceived(key, request):
                self._requests.take(key, request)
            case Ended():
                self._end(event)
            case _:
                self._changes.take(event)

    def _take_ack(self, event: Acknowledged) -> None:
        if not self._acknowledged.done():
            self._acknowledged.set_result(event)  # `accept` waits for it
            return
        try:
            self._take_answer(event)
        except OpenSipError as error:
            log.warning("answer_unusable", sip_call_id=self.dialog.id.call_id, why=str(error))

    def _take_answer(self, event: Acknowledged) -> None:
        """Take the answer that the ACK of our 2xx brings, if that made an offer."""
        if event.offered:
            self._accept(event.answer)

    def _accept(self, answer: bytes) -> None:
        try:
            self._negotiation.accept(answer)
        except OpenSipError:
            self.hang_up()  # the peer believes in a session that cannot be
            raise

    def _end(self, event: Ended) -> None:
        if event.by == "remote":
            for refer in self._requests.refers:
                refer.receive_bye()
        self._changes.settle(CallFailed(481))
        if self._negotiation.negotiator is None and event.by != "local":
            self._cancelled.set_result(None)
        headers = event.request.headers if event.request is not None else None
        self._ended.set_result(SessionEnded(event.by, event.cause, event.status, headers))
