"""The INVITE of the peer, from its arrival to the ACK of our 2xx: RFC 3261 section 13.3."""

from collections.abc import Callable, Iterable

from opensip.errors import RemoteProtocolError
from opensip.sip.dialog import Dialog
from opensip.sip.invite_answer import InviteAnswer
from opensip.sip.message import Request, Response
from opensip.sip.multipart import description_of
from opensip.sip.reliable import (
    ReliableResponses,
    first_rseq,
    requires_100rel,
    supports_100rel,
)
from opensip.sip.timers import Timers
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Command, Respond

Fields = Iterable[tuple[str, str]]

REFRESH = 60.0  # seconds between provisional responses: proxies give up after three minutes


class PeerInvite:
    """One INVITE at a time, first or later, and what we answer to it. Does no I/O.

    `key` is its transaction, None when none waits for a final response; `answered` is our 2xx
    while its ACK has not come. `random` gives floats from 0 up to 1.
    """

    __slots__ = (
        "_command",
        "_dialog",
        "_random",
        "_refresh_at",
        "_reliable",
        "_request",
        "_timers",
        "_told",
        "answered",
        "key",
    )

    def __init__(
        self,
        dialog: Dialog,
        command: Callable[[Command], None],
        *,
        random: Callable[[], float],
        timers: Timers,
    ) -> None:
        self.key: TransactionKey | None = None
        self.answered: InviteAnswer | None = None
        self._request: Request | None = None
        self._reliable: ReliableResponses | None = None
        self._told: tuple[int, str | None, Fields, bool] | None = None  # of the last 1xx but 100
        self._refresh_at: float | None = None
        self._dialog = dialog
        self._command = command
        self._random = random
        self._timers = timers

    # ---- where it stands

    @property
    def is_open(self) -> bool:
        """True while it waits for our final response."""
        return self.key is not None

    @property
    def request(self) -> Request | None:
        """The INVITE that waits."""
        return self._request if self.is_open else None

    @property
    def owes_answer(self) -> bool:
        """True while the peer's offer has no answer of ours."""
        request, reliable = self.request, self._reliable
        return bool(request and description_of(request)) and not (reliable and reliable.offer)

    @property
    def awaits_answer(self) -> bool:
        """True while our own offer, made in a 1xx or 2xx, has no answer of the peer."""
        if self.answered is not None and self.answered.offered:
            return True
        return self._offered_early and self.awaits_prack

    @property
    def awaits_prack(self) -> bool:
        """True while a description of ours is not acknowledged: no 2xx may be sent."""
        return self.is_open and self._reliable is not None and self._reliable.is_open

    @property
    def was_described(self) -> bool:
        """True once offer and answer are exchanged, so that UPDATE may follow (RFC 3311)."""
        reliable = self._reliable
        return reliable is not None and reliable.was_described

    @property
    def has_expired(self) -> bool:
        """True if a reliable response was never acknowledged: the INVITE is to be refused."""
        return self.is_open and self._reliable is not None and self._reliable.is_expired

    @property
    def _offered_early(self) -> bool:
        request, reliable = self._request, self._reliable
        return bool(request and reliable and reliable.offer and not description_of(request))

    # ---- what we do

    def begin(self, key: TransactionKey, request: Request) -> None:
        """Take the INVITE."""
        self.key, self._request, self._reliable = key, request, None
        self._told = self._refresh_at = None

    def provisional(
        self,
        status: int,
        reason: str | None,
        *,
        headers: Fields,
        body: bytes,
        reliable: bool,
        now: float,
    ) -> None:
        """Send a 1xx: reliably where the peer demands it, or it is wished and the peer can.

        It is sent again each minute (section 13.3.1.1).
        """
        key, request = self.key, self._request
        if key is None or request is None:
            return
        if status > 100:
            self._told, self._refresh_at = (status, reason, headers, reliable), now + REFRESH
        response = self._dialog.create_response(request, status, reason, headers=headers, body=body)
        if status == 100 or not _is_reliable(request, wished=reliable):
            self._command(Respond(key, response))
            return
        if not (body or description_of(request) or (self._reliable and self._reliable.offer)):
            return  # the first that is reliable must make the offer (RFC 3261 section 13.2.1)
        if self._reliable is None:
            self._reliable = ReliableResponses(
                key, self._command, first=first_rseq(self._random), timers=self._timers
            )
        self._reliable.send(response, now=now)

    def accept(self, body: bytes, *, headers: Fields, now: float) -> None:
        """Send the 2xx. What a reliable 1xx has described is not described anew."""
        key, request = self.key, self._request
        if key is None or request is None:
            return
        response = self._end(key, request, 200, headers=headers, body=self._final_body(body))
        self.answered = InviteAnswer(key, request, response, timers=self._timers, now=now)

    def refuse(self, status: int, reason: str | None = None, *, headers: Fields = ()) -> bool:
        """Send a failure, if an INVITE waits; tell whether one did."""
        key, request = self.key, self._request
        if key is None or request is None:
            return False
        self._end(key, request, status, reason, headers=headers)
        return True

    def forget(self) -> None:
        """Learn that no response reaches the peer any more."""
        self.key = self._told = self._refresh_at = None
        if self._reliable is not None:
            self._reliable.stop()

    # ---- what comes

    def receive_prack(self, request: Request, *, now: float) -> bool:
        """Take a PRACK; tell whether it is to answer an offer of ours.

        Raises RemoteProtocolError with the status that refuses one that fits nothing.
        """
        if self._reliable is None:
            raise RemoteProtocolError("PRACK of nothing", sip_status=481)
        described = self._reliable.receive_prack(request, now=now)
        return described and self._offered_early

    def get_timer(self) -> float | None:
        """Tell when `handle_timer` must next be called, if ever."""
        if self.answered is not None:
            return self.answered.get_timer()
        resend_at = self._reliable.get_timer() if self._reliable is not None else None
        if resend_at is None or self._refresh_at is None:
            return resend_at or self._refresh_at
        return min(resend_at, self._refresh_at)

    def handle_timer(self, *, now: float) -> None:
        """Send again what is due."""
        if self.answered is not None:
            if self.answered.is_due(now):
                self._command(self.answered.command)
            return
        if self._reliable is not None:
            self._reliable.handle_timer(now=now)
        if self._told is not None and self._refresh_at is not None and now >= self._refresh_at:
            status, reason, headers, reliable = self._told
            self.provisional(status, reason, headers=headers, body=b"", reliable=reliable, now=now)

    def _final_body(self, body: bytes) -> bytes:
        if self._reliable is None or not self._reliable.offer:
            return body
        # An early answer is repeated, for some peers look for it in the 2xx only.
        return b"" if self._offered_early else self._reliable.offer

    def _end(
        self,
        key: TransactionKey,
        request: Request,
        status: int,
        reason: str | None = None,
        *,
        headers: Fields,
        body: bytes = b"",
    ) -> Response:
        self.forget()
        response = self._dialog.create_response(request, status, reason, headers=headers, body=body)
        self._command(Respond(key, response))
        return response


def _is_reliable(request: Request, *, wished: bool) -> bool:
    return requires_100rel(request) or (wished and supports_100rel(request))
