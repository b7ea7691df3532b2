"""The INVITE that we send first: RFC 3261 sections 8.1, 9.1 and 13.2."""

from collections.abc import Callable
from dataclasses import dataclass

from opensip.sip.dialog import Dialog
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.message import Request, Response
from opensip.sip.timers import Timers
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import (
    Acknowledge,
    Ask,
    Authorize,
    Cancel,
    Usage,
    authorized,
    credentials_of,
    with_credentials,
)


@dataclass(frozen=True, slots=True)
class Ringing:
    """A provisional response but 100."""

    response: Response


@dataclass(frozen=True, slots=True)
class Established:
    """The call was answered; `body` answers our offer.

    If we made none, it is the peer's offer, and the ACK waits for `acknowledge(answer)`.
    """

    usage: InviteUsage
    response: Response
    body: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no call: the final status, 408 or 503 without a response, 487 if cancelled."""

    status: int
    response: Response | None


Event = Ringing | Established | Refused


class InviteAttempt(Usage[Event]):
    """Sends one INVITE, follows its forks and makes the usage of the first that answers.

    Does no I/O. After each call, carry out what `messages_to_send` returns and act on what
    `next_event` returns; one of `Established` and `Refused` comes, once. Feed it the responses
    as long as the transactions last: each 2xx that is sent again gets its ACK again, and each
    further fork that answers gets ACK and BYE. `request` has no Via.
    """

    __slots__ = (
        "_acks",
        "_authorize",
        "_cancelled",
        "_contact",
        "_early",
        "_over",
        "_random",
        "_timers",
        "request",
        "usage",
    )

    def __init__(
        self,
        request: Request,
        *,
        contact: str,
        random: Callable[[], float],
        timers: Timers | None = None,
        authorize: Authorize | None = None,
    ) -> None:
        super().__init__()
        self.request = request
        self.usage: InviteUsage | None = None
        self._contact = contact
        self._random = random
        self._timers = timers
        self._authorize = authorize
        self._early: dict[str | None, Dialog] = {}
        self._acks: dict[str | None, Acknowledge] = {}  # by To tag
        self._cancelled = self._over = False
        self._command(Ask(request))

    def cancel(self) -> None:
        """Give the call up before it is answered; a 2xx that comes all the same is ended."""
        if not (self._over or self._cancelled):
            self._cancelled = True
            self._command(Cancel())

    def acknowledge(self, answer: bytes) -> None:
        """Send the ACK that carries our answer to the offer of `Established`."""
        if self.usage is not None and (tag := self._tag_of(self.usage)) not in self._acks:
            self._acknowledge(self.usage.dialog, tag, answer)

    def receive_response(self, response: Response, *, now: float) -> None:
        """Take a response to the INVITE, or to the BYE of a fork."""
        if response.cseq != self.request.cseq:
            return  # of the BYE of a fork, or of an INVITE that was sent again since
        if response.status < 200:
            self._receive_provisional(response)
        elif response.status < 300:
            self._receive_2xx(response)
        elif not self._over:
            self._receive_failure(response)

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that a transaction of this attempt ended without an answer."""
        if key.method == "INVITE" and not self._over:
            self._refuse(status, None)

    def _receive_provisional(self, response: Response) -> None:
        if response.status == 100 or self._over:
            return
        if response.to.tag is not None:
            self._dialog_of(response)
        self._events.append(Ringing(response))

    def _receive_2xx(self, response: Response) -> None:
        tag = response.to.tag
        if tag in self._acks:
            self._command(self._acks[tag])
        elif self._cancelled or (self.usage is not None and tag != self._tag_of(self.usage)):
            self._hang_up(response)
        elif self.usage is None:
            self._establish(response)

    def _establish(self, response: Response) -> None:
        self._over = True
        self.usage = InviteUsage(
            self._dialog_of(response),
            owner=True,
            random=self._random,
            timers=self._timers,
            authorize=self._authorize,
        )
        if self.request.body:
            self.acknowledge(b"")
        self._events.append(Established(self.usage, response, response.body))

    def _hang_up(self, response: Response) -> None:
        """End a session that nobody wants: cancelled too late, or of a slower fork."""
        dialog = self._dialog_of(response)
        self._acknowledge(dialog, response.to.tag, b"")
        self._command(Ask(dialog.create_request("BYE")))
        if not self._over:
            self._refuse(487, response)

    def _receive_failure(self, response: Response) -> None:
        credentials = None
        if not self._cancelled:
            credentials = authorized(self.request, response, self._authorize)
        if credentials is None:
            self._refuse(response.status, response)
            return
        number = self.request.cseq.number + 1
        self.request = with_credentials(self.request, number, credentials)
        self._early.clear()
        self._command(Ask(self.request))

    def _refuse(self, status: int, response: Response | None) -> None:
        self._over = True
        self._events.append(Refused(487 if self._cancelled else status, response))

    def _acknowledge(self, dialog: Dialog, tag: str | None, body: bytes) -> None:
        number, headers = self.request.cseq.number, credentials_of(self.request)
        self._acks[tag] = Acknowledge(dialog.create_ack(number, body, headers=headers))
        self._command(self._acks[tag])

    def _dialog_of(self, response: Response) -> Dialog:
        tag = response.to.tag
        if tag in self._early:
            self._early[tag].receive_response(response)
        else:
            self._early[tag] = Dialog.as_uac(self.request, response, self._contact)
        return self._early[tag]

    @staticmethod
    def _tag_of(usage: InviteUsage) -> str | None:
        return usage.dialog.remote.tag
