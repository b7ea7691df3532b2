"""The re-INVITEs that we send within a dialog: RFC 3261 section 14.1."""

from collections.abc import Callable, Iterable, Sequence

from opensip.sip.dialog import Dialog
from opensip.sip.invite_events import Ended, Reinvited, ReinviteRefused
from opensip.sip.message import Request, Response, response_to
from opensip.sip.multipart import description_of
from opensip.sip.session_timer import SessionTimer
from opensip.sip.usage import (
    Acknowledge,
    Ask,
    Authorize,
    Command,
    authorized,
    credentials_of,
    pause_after_491,
    with_credentials,
)

_ACKS_KEPT = 4  # a 2xx may be retransmitted after the next re-INVITE has left
Outcome = Reinvited | ReinviteRefused | Ended


class Reinvites:
    """One re-INVITE at a time, its ACK, and the pause after a collision. Does no I/O.

    `command` takes what is to be sent. `owner` tells that the Call-ID is ours. `timer` learns
    of 422.
    """

    __slots__ = (
        "_acks",
        "_authorize",
        "_command",
        "_dialog",
        "_owner",
        "_random",
        "_request",
        "_timer",
        "_unanswered",
        "_vital",
        "is_wanted",
        "pause_until",
    )

    def __init__(
        self,
        dialog: Dialog,
        command: Callable[[Command], None],
        *,
        owner: bool,
        random: Callable[[], float],
        authorize: Authorize | None,
        timer: SessionTimer | None = None,
    ) -> None:
        self.is_wanted = False  # one was asked for while it could not be sent
        self.pause_until: float | None = None
        self._dialog = dialog
        self._command = command
        self._owner = owner
        self._random = random
        self._authorize = authorize
        self._timer = timer or SessionTimer()
        self._request: Request | None = None  # without a final response
        self._unanswered: Request | None = None  # accepted with an offer: its ACK waits
        self._vital = True
        self._acks: dict[int, Acknowledge] = {}

    @property
    def is_busy(self) -> bool:
        """True from the request until its ACK."""
        return self._request is not None or self._unanswered is not None

    def send(self, body: bytes, headers: Iterable[tuple[str, str]], *, vital: bool = True) -> None:
        """Send one; without a body the peer is to make the offer.

        Where nobody answers one that is not `vital`, that is a refusal (408) and no more: the
        session can do without (section 12.2.1.2 lets us choose).
        """
        self._vital = vital
        self._request = self._dialog.create_request("INVITE", headers=headers, body=body)
        self._command(Ask(self._request))

    def acknowledge(self, answer: bytes) -> None:
        """Send the ACK that waits for our answer, if one does."""
        request, self._unanswered = self._unanswered, None
        if request is not None:
            self._send_ack(request, answer)

    def receive_response(self, response: Response, *, live: bool, now: float) -> Outcome | None:
        """Take a response to one of them; `live` tells that the session goes on."""
        number = response.cseq.number
        if number in self._acks and 200 <= response.status < 300:
            self._command(self._acks[number])
        elif self._request is not None and number == self._request.cseq.number:
            return self._receive_new(self._request, response, live, now)
        return None

    def failed(self, status: int) -> Ended | ReinviteRefused | None:
        """Learn that one was not answered: that ends the dialog, where it was vital."""
        asked, self._request = self._request, None
        if asked is None:
            return None
        if self._vital:
            return Ended("lost", f"re-INVITE: {status}")
        return ReinviteRefused(response_to(asked, status))

    def is_due(self, now: float) -> bool:
        """Tell whether the pause after a collision is over; tell it once."""
        if self.pause_until is None or now < self.pause_until:
            return False
        self.pause_until = None
        return True

    def _receive_new(
        self, asked: Request, response: Response, live: bool, now: float
    ) -> Outcome | None:
        if response.status < 200:
            return None
        self._request = None
        if response.status < 300:
            return self._accepted(asked, response, live)
        return self._refused(asked, response, now) if live else None

    def _refused(self, asked: Request, response: Response, now: float) -> Outcome | None:
        if (credentials := authorized(asked, response, self._authorize)) is not None:
            self._ask_again(asked, credentials)
            return None
        match response.status:
            case 422 if self._timer.receive_422(response):
                self._ask_again(asked, self._timer.request_headers())
                return None
            case 491:
                self.pause_until = now + pause_after_491(self._random, owner=self._owner)
                return None
            case 481 | 408 as status if self._vital or status == 481:
                return Ended("lost", f"re-INVITE: {status}")
            case _:
                return ReinviteRefused(response)

    def _accepted(self, asked: Request, response: Response, live: bool) -> Outcome | None:
        self._dialog.receive_response(response)
        if asked.body or not live:
            self._send_ack(asked, b"")
        else:
            self._unanswered = asked
        return Reinvited(response, description_of(response)) if live else None

    def _ask_again(self, asked: Request, fields: Sequence[tuple[str, str]]) -> None:
        self._dialog.local_cseq += 1
        self._request = with_credentials(asked, self._dialog.local_cseq, fields)
        self._command(Ask(self._request))

    def _send_ack(self, asked: Request, body: bytes) -> None:
        number = asked.cseq.number
        ack = self._dialog.create_ack(number, body, headers=credentials_of(asked))
        self._acks[number] = Acknowledge(ack)
        if len(self._acks) > _ACKS_KEPT:
            del self._acks[min(self._acks)]
        self._command(self._acks[number])
