"""How a session changes once it stands: offers of either side by INVITE, UPDATE or PRACK."""

import asyncio
from collections.abc import Callable

from opensip.errors import OpenSipError
from opensip.sip.invite_events import (
    EarlyAnswered,
    Event,
    OfferReceived,
    Reinvited,
    ReinviteDue,
    ReinviteReceived,
    ReinviteRefused,
    State,
    Updated,
    UpdateDue,
    UpdateRefused,
)
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.message import Response
from opensip.ua.call_failed import CallFailed
from opensip.ua.courier import Courier
from opensip.ua.negotiation import Negotiation, warning
from opensip.ua.options import CAPABILITIES


class SessionChanges:
    """Answers the peer's offers and follows our own.

    `step` carries out what the usage wants done; `hang_up` ends a session that cannot be.
    """

    def __init__(
        self,
        usage: InviteUsage,
        negotiation: Negotiation,
        courier: Courier,
        *,
        step: Callable[[], None],
        hang_up: Callable[[], None],
    ) -> None:
        self._usage = usage
        self._negotiation = negotiation
        self._courier = courier
        self._step = step
        self._hang_up = hang_up
        self._loop = asyncio.get_running_loop()
        self._turns = asyncio.Lock()
        # What comes of the exchange that is under way, ours or a refresh.
        self._changed: asyncio.Future[Response | Exception] | None = None
        self._vital = True  # what is under way

    async def offer(self, *, update: bool, vital: bool = True) -> None:
        """Offer the session anew; raises CallFailed where the peer refuses, or it has ended.

        Where the peer does not answer, or what cannot be used, the session ends, unless the change
        is not `vital`: then the next offer is to say again what stood.
        One change follows the other, in the order they were asked for (RFC 3261 section 14.1), so
        that each has an offer and an outcome of its own.
        """
        async with self._turns:
            while self._changed is not None:  # a refresh, or one that nobody waits for any more
                await asyncio.wait({self._changed})
            if not self._is_established:
                raise CallFailed(481)
            self._changed, self._vital = self._loop.create_future(), vital
            if update and self._usage.can_update:
                self._update()
            else:
                self._reinvite()
            self._step()
            outcome = await asyncio.shield(self._changed)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.status >= 300:
            raise CallFailed(outcome.status, outcome.reason, outcome.headers)

    def take(self, event: Event) -> None:
        """Act on an event of the usage that is about offers."""
        match event:
            case ReinviteReceived(_, offer):
                self._answer_reinvite(offer)
            case OfferReceived(_, offer):
                self._answer_offer(offer)
            case EarlyAnswered(answer):
                self._accept(answer)
            case Reinvited(response, body) | Updated(response, body):
                self._accept(body, response)
            case ReinviteRefused(response) | UpdateRefused(response):
                self.settle(response)
            case ReinviteDue():
                self._begin()
                self._reinvite()
            case UpdateDue():
                self._begin()
                self._update()
            case _:
                pass  # a re-INVITE was cancelled: the session stays as it was

    def settle(self, outcome: Response | Exception) -> None:
        """Tell whoever waits in `offer` what came of it."""
        waiting, self._changed = self._changed, None
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome)

    @property
    def _is_established(self) -> bool:
        return self._usage.state is State.ESTABLISHED

    def _answer_reinvite(self, offer: bytes) -> None:
        try:
            body = self._negotiation.answer(offer)
        except OpenSipError as error:
            self._usage.reject(error.sip_status, headers=[self._warning(error)])
        else:
            self._usage.answer(body, headers=CAPABILITIES, now=self._loop.time())

    def _answer_offer(self, offer: bytes) -> None:
        """Answer the offer of an UPDATE or PRACK."""
        now = self._loop.time()
        try:
            body = self._negotiation.answer(offer)
        except OpenSipError as error:
            self._usage.refuse_offer(error.sip_status, headers=[self._warning(error)], now=now)
        else:
            self._usage.answer_offer(body, now=now)

    def _accept(self, answer: bytes, response: Response | None = None) -> None:
        """Take the peer's answer to our offer; where it cannot be used a vital change ends all."""
        try:
            self._negotiation.accept(answer)
        except OpenSipError as error:
            self.settle(error)
            if self._vital:
                self._hang_up()
        else:
            if response is not None:
                self.settle(response)

    def _begin(self) -> None:
        """Keep a refresh's outcome apart from that of a change which is asked for meanwhile."""
        if self._changed is None and self._is_established:
            self._changed, self._vital = self._loop.create_future(), True

    def _reinvite(self) -> None:
        if self._is_established:
            body = self._negotiation.offer()
            self._usage.reinvite(body, now=self._loop.time(), vital=self._vital)

    def _update(self) -> None:
        if self._is_established:
            self._usage.update(self._negotiation.offer(), now=self._loop.time())

    def _warning(self, error: OpenSipError) -> tuple[str, str]:
        return warning(error, self._courier.flow.local)
