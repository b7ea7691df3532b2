"""What the peer asks of a session: the half of an `InviteUsage` that answers.

RFC 3261 sections 13.3, 14.2 and 15.1.2, RFC 3262, RFC 3311 section 5.2, RFC 4028 section 9.
"""

from collections.abc import Callable, Iterable

from opensip.errors import RemoteProtocolError
from opensip.sip.asking import Asking
from opensip.sip.dialog import Dialog
from opensip.sip.invite_answer import InviteAnswer
from opensip.sip.invite_events import (
    Acknowledged,
    EarlyAnswered,
    Ended,
    Event,
    OfferReceived,
    ReinviteCancelled,
    ReinviteDue,
    ReinviteReceived,
    RequestReceived,
    State,
    UpdateDue,
)
from opensip.sip.message import Request
from opensip.sip.multipart import description_of
from opensip.sip.peer_invite import PeerInvite
from opensip.sip.peer_offer import PeerOffer
from opensip.sip.reinvite import Reinvites
from opensip.sip.session_timer import SessionTimer
from opensip.sip.timers import Timers
from opensip.sip.transaction import TransactionKey
from opensip.sip.updates import Updates
from opensip.sip.usage import Authorize, Respond, Usage

Fields = Iterable[tuple[str, str]]


class AnsweringUsage(Usage[Event]):
    """Answers the peer's requests within a session; `InviteUsage` tells the rest."""

    __slots__ = (
        "_bye",
        "_bye_wanted",
        "_capabilities",
        "_final",
        "_invite",
        "_offer",
        "_random",
        "_reinvites",
        "_updates",
        "dialog",
        "state",
        "timer",
    )

    def __init__(
        self,
        dialog: Dialog,
        *,
        owner: bool,
        random: Callable[[], float],
        timers: Timers | None = None,
        authorize: Authorize | None = None,
        timer: SessionTimer | None = None,
        capabilities: Fields = (),
    ) -> None:
        super().__init__()
        self.dialog = dialog
        self.state = State.ESTABLISHED
        self.timer = timer or SessionTimer()
        self._random = random
        self._capabilities = tuple(capabilities)
        self._invite = PeerInvite(dialog, self._command, random=random, timers=timers or Timers())
        self._offer = PeerOffer(dialog, self._command)
        self._reinvites = Reinvites(
            dialog,
            self._command,
            owner=owner,
            random=random,
            authorize=authorize,
            timer=self.timer,
        )
        self._updates = Updates(
            dialog,
            self._command,
            owner=owner,
            random=random,
            authorize=authorize,
            timer=self.timer,
        )
        self._final: tuple[bytes, Fields] | None = None  # our 2xx, as soon as the PRACK has come
        self._bye = Asking(dialog, self._command, authorize)
        self._bye_wanted: tuple[Fields, Ended] | None = None  # as soon as the ACK has come

    # ---- the peer's INVITE

    def provisional(
        self,
        status: int,
        reason: str | None = None,
        *,
        headers: Fields = (),
        body: bytes = b"",
        reliable: bool = False,
        now: float,
    ) -> None:
        """Tell the peer how its INVITE is getting on: `status` 100 to 199.

        It is sent until PRACK comes where `reliable` is wished and the peer can, or demands it.
        """
        if self._final is None:
            self._invite.provisional(
                status, reason, headers=headers, body=body, reliable=reliable, now=now
            )

    def answer(self, body: bytes, *, headers: Fields = (), now: float) -> None:
        """Accept the peer's INVITE: `body` answers its offer, or makes one if it had none.

        An INVITE that is over (cancelled, ended by BYE) takes no answer: an event told so.
        Where a description of ours waits for its PRACK, so does the 2xx.
        """
        if self._invite.is_open and self._final is None:
            self._final = body, tuple(headers)
            self._send_final(now)

    def _send_final(self, now: float) -> None:
        request, final = self._invite.request, self._final
        if request is None or final is None or self._invite.awaits_prack or self._offer.is_open:
            return
        self._final = None
        body, headers = final
        fields = (*headers, *self.timer.answer(request, now=now))
        self._invite.accept(body, headers=fields, now=now)
        if self.state is State.EARLY:
            self.state = State.ESTABLISHED
            self.dialog.confirm()

    def reject(self, status: int, reason: str | None = None, *, headers: Fields = ()) -> None:
        """Refuse the peer's INVITE: the first one ends the usage, a re-INVITE changes nothing."""
        if self._invite.refuse(status, reason, headers=headers) and self.state is State.EARLY:
            self._finish(Ended("local", "rejected", status))

    def receive_cancel(self, request: Request | None = None) -> None:
        """Learn that the peer cancelled its INVITE (the layer has answered the CANCEL)."""
        if not self._invite.refuse(487):
            return
        if self.state is State.EARLY:
            self._finish(Ended("remote", "cancelled", 487, request))
        else:
            self._events.append(ReinviteCancelled())

    def receive_ack(self, request: Request, *, now: float) -> None:
        """Take the ACK of a 2xx of ours; one that came already is let go by."""
        answered = self._invite.answered
        if answered is not None and answered.cseq == request.cseq.number:
            self._acknowledged(answered, description_of(request))

    def _acknowledged(self, answered: InviteAnswer, body: bytes) -> None:
        self._invite.answered = None
        answer = body if answered.offered else b""
        self._events.append(Acknowledged(answer, answered.offered))
        if self._bye_wanted is not None:
            self._send_bye(*self._bye_wanted)
        self._let_go()

    # ---- the peer's other requests

    def receive_request(self, key: TransactionKey, request: Request, *, now: float) -> None:
        """Take a new request within the dialog (not ACK, not CANCEL)."""
        try:
            self.dialog.receive_request(request)
        except RemoteProtocolError as error:
            self._respond(key, request, error.sip_status, error.reason)
            return
        if request.method == "BYE" and self.state is not State.ENDED:
            self._receive_bye(key, request)
        elif self.state in (State.ENDING, State.ENDED):
            self._respond(key, request, 481)
        elif request.method == "INVITE":
            self._receive_reinvite(key, request)
        elif request.method == "PRACK":
            self._receive_prack(key, request, now)
        elif request.method == "UPDATE":
            self._receive_update(key, request, now)
        else:
            self._events.append(RequestReceived(key, request))

    def _receive_bye(self, key: TransactionKey, request: Request) -> None:
        self._respond(key, request, 200)
        if self.state is State.ENDING:
            return  # both hung up at once; our own BYE will be answered too
        self._finish(Ended("remote", "bye", None, request))

    def _receive_reinvite(self, key: TransactionKey, request: Request) -> None:
        if self._invite.is_open or self._offer.is_open:  # section 14.2
            self._respond(key, request, 500, headers=[self._retry_soon()])
        elif self._reinvites.is_busy or self._updates.is_offering or self._invite.awaits_answer:
            self._respond(key, request, 491)  # RFC 5407 section 3.1.5, RFC 3311 section 5.2
        elif self.timer.is_too_short(request):
            self._respond(key, request, 422, headers=[self.timer.min_se])
        else:
            self._open_reinvite(key, request)

    def _open_reinvite(self, key: TransactionKey, request: Request) -> None:
        if self._invite.answered is not None:
            self._acknowledged(self._invite.answered, b"")  # it had our 2xx: the ACK was lost
        if self.state is State.ESTABLISHED:
            self._invite.begin(key, request)
            self._updates.note(request)
            self._events.append(ReinviteReceived(request, description_of(request)))
        else:
            self._respond(key, request, 487)  # a BYE had waited for that ACK

    def _receive_prack(self, key: TransactionKey, request: Request, now: float) -> None:
        """Take the acknowledgement of a provisional response: RFC 3262 sections 3 and 5."""
        try:
            is_answer = self._invite.receive_prack(request, now=now)
        except RemoteProtocolError as error:
            self._respond(key, request, error.sip_status, error.reason)
            return
        if description_of(request) and not is_answer:
            self._receive_offer(key, request)
        else:
            self._respond(key, request, 200)
            if is_answer:
                self._events.append(EarlyAnswered(description_of(request)))
        self._send_final(now)

    def _receive_update(self, key: TransactionKey, request: Request, now: float) -> None:
        """Take an UPDATE: RFC 3311 section 5.2; without an offer it only refreshes."""
        self._updates.note(request)
        if self.timer.is_too_short(request):
            self._respond(key, request, 422, headers=[self.timer.min_se])
        elif description_of(request) or self._offer.is_open:
            self._receive_offer(key, request)
        else:
            self._respond(key, request, 200, headers=self._agreed(request, now))

    def _receive_offer(self, key: TransactionKey, request: Request) -> None:
        if self._offer.is_open or self._invite.owes_answer:
            self._respond(key, request, 500, headers=[self._retry_soon()])
        elif self._reinvites.is_busy or self._updates.is_offering or self._invite.awaits_answer:
            self._respond(key, request, 491)
        else:
            self._offer.begin(key, request)
            self._events.append(OfferReceived(request, description_of(request)))

    def answer_offer(self, body: bytes, *, headers: Fields = (), now: float) -> None:
        """Answer the offer of an `OfferReceived`."""
        if (request := self._offer.request) is not None:
            fields = (
                (*headers, *self._agreed(request, now)) if request.method == "UPDATE" else headers
            )
            self._offer.respond(200, headers=fields, body=body)
            self._send_final(now)
            self._let_go()

    def refuse_offer(self, status: int, *, headers: Fields = (), now: float) -> None:
        """Refuse the offer of an `OfferReceived`: the session stays as it was."""
        self._offer.respond(status, headers=headers)
        self._send_final(now)
        self._let_go()

    # ---- steps

    def _agreed(self, request: Request, now: float) -> Fields:
        """Write what a 2xx to an UPDATE tells; before the session there is no timer."""
        if self.state is not State.ESTABLISHED:
            return self._capabilities
        return (*self._capabilities, *self.timer.answer(request, now=now))

    def _retry_soon(self) -> tuple[str, str]:
        return "Retry-After", str(int(self._random() * 11))

    @property
    def _is_inviting(self) -> bool:
        """True while an INVITE of either side is under way (section 14.1)."""
        peer = self._invite
        return self._reinvites.is_busy or peer.is_open or peer.answered is not None

    @property
    def _is_offering(self) -> bool:
        """True while an offer of either side has no answer (RFC 6337 section 2.2)."""
        ours = self._reinvites.is_busy or self._updates.is_busy or self._invite.awaits_answer
        return ours or self._offer.is_open or self._invite.owes_answer

    def _let_go(self) -> None:
        """Tell of what could not be sent before, if now it can."""
        if self.state is not State.ESTABLISHED or self._bye_wanted is not None:
            return
        if self._updates.is_wanted and not self._is_offering:
            self._updates.is_wanted = False
            self._events.append(UpdateDue())
        elif self._reinvites.is_wanted and not self._is_inviting and not self._is_offering:
            self._reinvites.is_wanted = False
            self._events.append(ReinviteDue())

    def _send_bye(self, headers: Fields, ended: Ended) -> None:
        self._close()
        self._bye.send("BYE", headers=headers)
        self.state, self._bye_wanted = State.ENDING, None
        self._events.append(ended)

    def _finish(self, ended: Ended) -> None:
        self._close()
        self.state, self._invite.answered = State.ENDED, None
        self._events.append(ended)

    def _close(self) -> None:
        """Answer what waits, and let no timer fire any more."""
        self._invite.refuse(487)
        self._invite.forget()
        self._offer.respond(487)
        self._reinvites.acknowledge(b"")  # the peer's 2xx would come for ever
        self._reinvites.pause_until = self._updates.pause_until = None
        self._final = None
        self.timer.stop()

    def _respond(
        self,
        key: TransactionKey,
        request: Request,
        status: int,
        reason: str | None = None,
        *,
        headers: Fields = (),
    ) -> None:
        response = self.dialog.create_response(request, status, reason, headers=headers)
        self._command(Respond(key, response))
