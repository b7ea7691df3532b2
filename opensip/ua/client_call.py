"""A call that goes out: from its INVITE to its answer, refusal or time-out."""

import asyncio
import random
from collections.abc import Callable
from typing import NamedTuple

from opensip.errors import OpenSipError, TransportFailed
from opensip.sip.dialog import Dialog, DialogId
from opensip.sip.flow import Flow
from opensip.sip.invite_attempt import (
    EarlyOffered,
    EarlyUpdated,
    Established,
    Event,
    InviteAttempt,
    Refused,
    Ringing,
)
from opensip.sip.message import Request, Response
from opensip.sip.multipart import description_of
from opensip.sip.session_timer import SessionTimer
from opensip.sip.transaction import TransactionKey
from opensip.sip.uri import Uri
from opensip.sip.usage import Ask, Authorize, Command
from opensip.ua.call_failed import CallFailed
from opensip.ua.core import Core, Stage
from opensip.ua.courier import Courier
from opensip.ua.invite_session import InviteSession
from opensip.ua.negotiation import Negotiator
from opensip.ua.options import CAPABILITIES
from opensip.ua.redirects import MayFollow, Redirects
from opensip.ua.ways import Ways, invite_again

TRIAL = 4.0  # seconds for the first sign of life of one target of several: four INVITEs over UDP


class _Left(NamedTuple):
    """An INVITE that went to a target which was left, and may be answered all the same."""

    attempt: InviteAttempt
    key: TransactionKey
    courier: Courier


class ClientCall:
    """An INVITE of ours. `progress` lists its provisional responses so far, but for 100.

    `on_progress`, where set, hears of each as it comes. Early media is ignored. After
    `ring_timeout` seconds without an answer the call is cancelled.
    """

    def __init__(
        self,
        core: Core,
        invite: Request,
        flow: Flow,
        *,
        ways: Ways,
        negotiator: Negotiator,
        ring_timeout: float,
        authorize: Authorize | None,
        may_follow: MayFollow | None = None,
    ) -> None:
        self.progress: list[Response] = []
        self.on_progress: Callable[[Response], None] | None = None
        self.is_heard = False  # whether anything came back, be it 100
        self._core = core
        self._flow = flow
        self._negotiator = negotiator
        self._authorize = authorize
        self._loop = asyncio.get_running_loop()
        self._ways = ways
        self._redirects = Redirects(may_follow)
        self._invite: TransactionKey | None = None
        self._left: dict[int, _Left] = {}  # by CSeq: targets that did not stir in time
        self._trial: asyncio.TimerHandle | None = None
        self._answered: asyncio.Future[InviteSession] = self._loop.create_future()
        self._is_taken = False  # somebody has the session
        # Whoever never asks for the outcome is not to be told that nobody did.
        self._answered.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._early: set[DialogId] = set()
        self._agreed: Dialog | None = None  # the fork that made a later offer, which we answered
        self._patience = self._loop.call_later(ring_timeout, self._give_up)
        self._begin(invite, flow)

    @property
    def invite(self) -> Request:
        """The INVITE as it was sent last, with its credentials."""
        return self._attempt.request

    @property
    def stage(self) -> Stage:
        """How far the call is: what holds a dialog of it afterwards is its session."""
        return Stage.CALLING

    @property
    def is_open(self) -> bool:
        """True while the call is neither answered nor over."""
        return not self._answered.done()

    async def wait_answered(self) -> InviteSession:
        """Wait for the answer.

        Raises CallFailed with the status of a refusal or redirection, 408 where nobody
        answered, 487 after `cancel`; NegotiationError or RemoteProtocolError where the answer
        cannot be used: then the call was hung up.
        """
        session = await asyncio.shield(self._answered)
        self._is_taken = True
        return session

    def cancel(self) -> None:
        """Give the call up: a session that comes all the same is ended at once.

        So is one that has come already, where nobody took it by `wait_answered`: the answer and
        the end of who waits for it may meet.
        """
        self._fail(CallFailed(487))
        if not self._is_taken and self._answered.exception() is None:
            self._answered.result().hang_up()

    def receive_response(self, response: Response) -> None:
        """Take a response to the INVITE; 503 and 3xx send it to another target."""
        self.is_heard = True
        if self._left and self._receive_late(response):
            return
        if response.cseq == self.invite.cseq:
            self._end_trial()
        if response.status == 503 and self._leads_on(response):
            return
        if 300 <= response.status < 400 and self._follows(response):
            return
        self._attempt.receive_response(response, now=self._loop.time())
        self._step()

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that the INVITE, or something of its end, came to nothing."""
        if any(key == left.key for left in self._left.values()):
            return
        self._end_trial()
        if key == self._invite and self._leads_on():
            return
        self._attempt.transaction_failed(key, status)
        self._step()

    def _begin(self, invite: Request, flow: Flow) -> None:
        self._flow = flow
        self._courier = Courier(self._core, flow, returns=flow.reliable)
        self._attempt = InviteAttempt(
            invite,
            contact=invite.headers.get("Contact") or "",
            random=random.random,
            timers=self._core.timers,
            authorize=self._authorize,
            timer=SessionTimer(),
            capabilities=CAPABILITIES,
        )
        self._step()
        if self._ways.has_more and self.is_open:
            self._trial = self._loop.call_later(TRIAL, self._try_next)

    def _end_trial(self) -> None:
        if self._trial is not None:
            self._trial.cancel()
            self._trial = None

    def _try_next(self) -> None:
        self._core.spawn(self._leave_target())

    async def _leave_target(self) -> None:
        """Leave a target that does not stir: nobody waits 32 s for a dead one."""
        attempt, key, courier = self._attempt, self._invite, self._courier
        self._ways.failed()
        try:
            flow = await self._ways.next_flow()
        except TransportFailed:
            return  # then this one is waited for
        if key is None or not self.is_open or self._trial is None:
            return  # it did stir
        self._left[self.invite.cseq.number] = _Left(attempt, key, courier)
        attempt.cancel()
        self._begin(invite_again(self.invite, self._core, flow), flow)
        self._carry_out_late(attempt, key, courier)

    def _receive_late(self, response: Response) -> bool:
        """Take an answer of a target that was left: a 2xx is acknowledged and hung up."""
        left = self._left.get(response.cseq.number)
        if left is None or response.cseq.method != "INVITE":
            return False
        left.attempt.receive_response(response, now=self._loop.time())
        self._carry_out_late(*left)
        return True

    def _carry_out_late(
        self, attempt: InviteAttempt, key: TransactionKey, courier: Courier
    ) -> None:
        courier.carry_out(attempt.messages_to_send(), self, invite=key)
        while attempt.next_event() is not None:
            pass  # what becomes of it concerns nobody

    def _follows(self, response: Response) -> bool:
        """Go where a redirection leads, if that is allowed (section 8.1.3.4)."""
        if not self.is_open or response.cseq != self.invite.cseq:
            return False
        invite = self.invite
        uri = self._redirects.next_target(invite, response, self._ways.leads_to)
        if uri is None:
            return False
        self._ways = self._ways.again(invite.uri, uri)
        self._core.spawn(self._begin_again(self._invite, uri))
        return True

    def _leads_on(self, response: Response | None = None) -> bool:
        """Try the next target, where there is one and nobody rings or hung up."""
        if response is not None and response.cseq != self.invite.cseq:
            return True  # of a target that was left behind: its 503 says nothing new
        self._ways.failed(response)
        if self.progress or not self.is_open or not self._ways.has_more:
            return False
        self._core.spawn(self._begin_again(self._invite))
        return True

    async def _begin_again(self, failed: TransactionKey | None, uri: Uri | None = None) -> None:
        try:
            flow = await self._ways.next_flow()
        except TransportFailed:
            if failed is not None:
                self._attempt.transaction_failed(failed, 503)
                self._step()
            return
        if self.is_open:
            self._begin(invite_again(self.invite, self._core, flow, uri), flow)

    def receive_request(self, key: TransactionKey, request: Request, flow: Flow) -> None:
        """Take a request of a fork that has not answered yet."""
        self._attempt.receive_request(key, request)
        self._step()

    def receive_ack(self, request: Request) -> None:
        """Take an ACK, which no fork has a reason to send."""

    def receive_cancel(self, request: Request) -> None:
        """Take a CANCEL, which no fork has a reason to send."""

    def hang_up(self) -> None:
        """Give the call up: the endpoint closes."""
        self.cancel()

    def _give_up(self) -> None:
        self._fail(CallFailed(408, "No Answer"))

    def _fail(self, error: CallFailed) -> None:
        """Fail at once: that the peer may still have to confirm the CANCEL is no one's concern."""
        if self.is_open:
            self._conclude(error)
            self._attempt.cancel()
            self._step()

    def _conclude(self, outcome: InviteSession | Exception) -> None:
        self._patience.cancel()
        self._end_trial()
        for dialog in self._early:
            if not isinstance(outcome, InviteSession) or dialog != outcome.dialog.id:
                self._core.leave(dialog)
        self._early.clear()
        if not self._answered.done():
            if isinstance(outcome, InviteSession):
                self._answered.set_result(outcome)
            else:
                self._answered.set_exception(outcome)

    def _step(self) -> None:
        for command in self._attempt.messages_to_send():
            self._carry_out(command)
        while (event := self._attempt.next_event()) is not None:
            self._take(event)
            for command in self._attempt.messages_to_send():
                self._carry_out(command)

    def _take(self, event: Event) -> None:
        match event:
            case Ringing(response, dialog):
                self._ring(response, dialog)
            case Refused(status, response):
                reason = response.reason if response and response.status == status else ""
                headers = response.headers if response else None
                self._conclude(CallFailed(status, reason, headers))
            case EarlyOffered(dialog, offer):
                self._answer_early(dialog, offer)
            case EarlyUpdated():
                pass  # we send none
            case Established():
                self._establish(event)

    def _ring(self, response: Response, dialog: Dialog | None) -> None:
        if dialog is not None and self.is_open and dialog.id not in self._early:
            self._early.add(dialog.id)
            self._core.join(dialog.id, self)
        self.progress.append(response)
        if self.on_progress is not None:
            self.on_progress(response)

    def _answer_early(self, dialog: Dialog, offer: bytes) -> None:
        """Answer a fork that changes the session before it answers the call."""
        try:
            body = self._negotiator.answer(offer)
        except OpenSipError as error:
            self._attempt.refuse_early(dialog, error.sip_status)
        else:
            self._agreed = dialog
            self._attempt.answer_early(dialog, body)

    def _carry_out(self, command: Command) -> None:
        """Send the INVITE by the flow that was chosen for it; the rest goes where it leads."""
        match command:
            case Ask(request) if request.method == "INVITE":
                self._invite = self._core.ask(request, self._flow, self)
            case _:
                self._courier.carry_out((command,), self, invite=self._invite)

    def _establish(self, event: Established) -> None:
        session = InviteSession(
            self._core,
            event.usage,
            flow=self._flow,
            returns=self._flow.reliable,
            invite=self.invite,
            peer=event.response,
            authorize=self._authorize,
        )
        try:
            if self._agreed is event.usage.dialog:
                session.establish(self._negotiator)  # what the 2xx repeats is out of date
            else:
                session.establish(self._negotiator, event.body or self._early_answer())
        except Exception as error:  # the negotiator's fault or the peer's: the caller hears of it
            self._conclude(error)
        else:
            self._conclude(session)

    def _early_answer(self) -> bytes:
        """Find the answer in a provisional response: some peers do not repeat it in the 2xx."""
        return next(filter(None, map(description_of, self.progress)), b"")
