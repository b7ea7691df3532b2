"""The INVITE usage of a dialog: RFC 3261 sections 13 to 15, RFC 3262, 3311 and 4028, both roles.

The INVITE that we send first is an `InviteAttempt`; it hands over a usage when it is answered.
"""

from collections.abc import Callable

from opensip.errors import LocalProtocolError
from opensip.sip.answering_usage import AnsweringUsage, Fields
from opensip.sip.dialog import Dialog
from opensip.sip.invite_events import (
    Ended,
    Reinvited,
    ReinviteDue,
    ReinviteRefused,
    State,
    Updated,
    UpdateRefused,
)
from opensip.sip.message import Request, Response
from opensip.sip.session_timer import RefreshDue, SessionTimer
from opensip.sip.timers import Timers
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Authorize


class InviteUsage(AnsweringUsage):
    """A session within its dialog. Does no I/O.

    After each call, carry out what `messages_to_send` returns, act on what `next_event`
    returns, and call `handle_timer` no later than `get_timer` says. When `state` is ENDED
    nothing more will come of it. `random` gives floats from 0 up to 1. `owner` tells that the
    Call-ID is ours: after a collision of re-INVITEs we wait longer (section 14.1).
    `capabilities` (Allow, Supported) go with each request and 2xx that changes the session;
    where they do not tell of "timer", a `timer` has nothing to do.
    """

    __slots__ = ()

    @classmethod
    def as_uas(
        cls,
        dialog: Dialog,
        request: Request,
        key: TransactionKey,
        *,
        random: Callable[[], float],
        timers: Timers | None = None,
        authorize: Authorize | None = None,
        timer: SessionTimer | None = None,
        capabilities: Fields = (),
    ) -> "InviteUsage":
        """Take the first INVITE `request`, whose dialog is early, to answer or reject it."""
        usage = cls(
            dialog,
            owner=False,
            random=random,
            timers=timers,
            authorize=authorize,
            timer=timer,
            capabilities=capabilities,
        )
        usage.state = State.EARLY
        usage._invite.begin(key, request)
        usage._updates.note(request)
        return usage

    # ---- our requests

    @property
    def can_update(self) -> bool:
        """True if the peer has said that it takes UPDATE."""
        return self._updates.can_update

    def note_peer(self, message: Request | Response) -> None:
        """Learn from the peer's Allow whether it takes UPDATE."""
        self._updates.note(message)

    def reinvite(
        self, body: bytes, *, headers: Fields = (), now: float, vital: bool = True
    ) -> None:
        """Change or refresh the session; without a body the peer is to make the offer.

        While another INVITE or offer is under way `ReinviteDue` comes instead, later. The session
        ends where nobody answers, unless the change is not `vital`.
        """
        if self.state is not State.ESTABLISHED or self._bye_wanted is not None:
            raise LocalProtocolError(f"no re-INVITE in {self.state.name}")
        if self._reinvites.pause_until is not None:
            return  # it will be due after the pause
        if self._is_inviting or self._is_offering:
            self._reinvites.is_wanted = True
            return
        self._reinvites.send(body, self._asked(headers), vital=vital)

    def update(self, body: bytes = b"", *, headers: Fields = (), now: float) -> None:
        """Change the session by UPDATE, or refresh it only, where there is no body.

        Before the answer this takes a description that the peer has acknowledged (RFC 3311
        section 5.1). While another offer is under way `UpdateDue` comes instead, later.
        """
        early = self.state is State.EARLY and self._invite.was_described
        if not (early or self.state is State.ESTABLISHED) or self._bye_wanted is not None:
            raise LocalProtocolError(f"no UPDATE in {self.state.name}")
        if self._updates.pause_until is not None or (self._updates.is_busy and not body):
            return  # it will be due after the pause, or one is under way that does as well
        if self._updates.is_busy or (body and self._is_offering):
            self._updates.is_wanted = True
            return
        self._updates.send(body, self._asked(headers))

    def _asked(self, headers: Fields) -> Fields:
        timed = self.timer.request_headers() if self.state is State.ESTABLISHED else ()
        return (*headers, *self._capabilities, *timed)

    def acknowledge(self, answer: bytes) -> None:
        """Send the ACK that carries our answer to the offer of a `Reinvited`."""
        self._reinvites.acknowledge(answer)
        self._let_go()

    def bye(self, *, headers: Fields = ()) -> None:
        """End the session, in whatever state it is.

        Before our answer this refuses the INVITE; between our 2xx and its ACK the BYE waits
        for the ACK or its time-out (section 15).
        """
        match self.state:
            case State.EARLY:
                self.reject(603)
            case State.ESTABLISHED:
                self._end(headers, Ended("local", "bye"))
            case _:
                pass

    def lose(self, cause: str) -> None:
        """Give the session up: media is dead, or a request got 408 or 481 (section 12.2.1.2)."""
        if self.state is State.EARLY:
            self._finish(Ended("lost", cause))
        elif self.state is State.ESTABLISHED:
            self._end((), Ended("lost", cause))

    def receive_response(self, response: Response, *, now: float) -> None:
        """Take a response to a request of this usage."""
        live = self.state is State.ESTABLISHED
        match response.cseq.method:
            case "BYE":
                if self._bye.receive(response) is not None:
                    self.state = State.ENDED
            case "INVITE":
                self._settled(
                    self._reinvites.receive_response(response, live=live, now=now), now=now
                )
            case "UPDATE":
                live = live or self.state is State.EARLY
                self._settled(self._updates.receive_response(response, live=live, now=now), now=now)

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that a transaction of this usage ended without an answer."""
        if self._invite.key == key:
            self._invite.forget()
            self.lose(f"INVITE: {status}")
        elif key.side == "server":
            pass  # what was answered needs no second answer
        elif key.method == "BYE":
            self.state = State.ENDED
        elif key.method == "INVITE":
            self._unanswered(self._reinvites.failed(status))
        elif key.method == "UPDATE":
            self._lost(self._updates.failed(status))

    # ---- time

    def get_timer(self) -> float | None:
        """Tell when `handle_timer` must next be called, if ever."""
        times = (
            self._invite.get_timer(),
            self._reinvites.pause_until,
            self._updates.pause_until,
            self.timer.get_timer(),
        )
        return min((at for at in times if at is not None), default=None)

    def handle_timer(self, *, now: float) -> None:
        """Let every timer that is due fire."""
        answered = self._invite.answered
        if answered is not None and now >= answered.expire_at:
            self._invite.answered = None
            self._send_bye(*(self._bye_wanted or ((), Ended("lost", "no ACK"))))
            return
        self._invite.handle_timer(now=now)
        if self._invite.has_expired and self._invite.refuse(504):
            self._finish(Ended("lost", "no PRACK", 504))
        self._reinvites.is_wanted |= self._reinvites.is_due(now)
        self._updates.is_wanted |= self._updates.is_due(now)
        self._let_go()
        self._handle_session_timer(now)

    def _handle_session_timer(self, now: float) -> None:
        self.timer.handle_timer(now=now)
        while (event := self.timer.next_event()) is not None:
            if not isinstance(event, RefreshDue):
                self.lose("session expired")
            elif self.can_update:
                self.update(now=now)
            else:
                self._events.append(ReinviteDue())

    # ---- steps

    def _settled(
        self,
        outcome: Reinvited | ReinviteRefused | Updated | UpdateRefused | Ended | None,
        *,
        now: float,
    ) -> None:
        match outcome:
            case None:
                return
            case Ended():
                self._lost(outcome)
                return
            case Reinvited(response) | Updated(response):
                if self.state is State.ESTABLISHED:
                    self.timer.receive_2xx(response, now=now)
                self._updates.note(response)
            case ReinviteRefused(response) | UpdateRefused(response):
                self._refused(response, now)
        if not isinstance(outcome, Updated | UpdateRefused) or outcome.offered:
            self._events.append(outcome)
        self._let_go()

    def _unanswered(self, outcome: Ended | ReinviteRefused | None) -> None:
        if isinstance(outcome, ReinviteRefused):
            self._events.append(outcome)
            self._let_go()
        else:
            self._lost(outcome)

    def _lost(self, ended: Ended | None) -> None:
        if ended is not None:
            self.lose(ended.cause)

    def _refused(self, response: Response, now: float) -> None:
        """Learn that the session was not changed, nor refreshed."""
        self.timer.receive_failure(response, now=now)
        if response.cseq.method == "UPDATE" and not self.can_update and self.timer.is_refresher:
            self._events.append(ReinviteDue())  # the refresh, by other means

    def _end(self, headers: Fields, ended: Ended) -> None:
        if self._invite.answered is None:
            self._send_bye(headers, ended)
        elif self._bye_wanted is None:
            self._bye_wanted = tuple(headers), ended
