"""The INVITE that we send first: RFC 3261 sections 8.1, 9.1 and 13.2, RFC 3262 section 4."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from opensip.sip.dialog import Dialog
from opensip.sip.early_dialog import EarlyDialog
from opensip.sip.invite_usage import InviteUsage
from opensip.sip.message import Request, Response
from opensip.sip.multipart import description_of
from opensip.sip.session_timer import SessionTimer
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
    """A provisional response but 100; a reliable one comes once, and is acknowledged.

    `dialog` is the early dialog that it is of, if it names one.
    """

    response: Response
    dialog: Dialog | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class EarlyOffered:
    """A fork made an offer: `answer_early` with the `dialog`.

    It came in a reliable provisional response to an INVITE without one, or by UPDATE.
    """

    dialog: Dialog
    offer: bytes


@dataclass(frozen=True, slots=True)
class EarlyUpdated:
    """The final response to an UPDATE that we sent to a fork; a 2xx answers our offer."""

    dialog: Dialog
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


Event = Ringing | EarlyOffered | EarlyUpdated | Established | Refused


class InviteAttempt(Usage[Event]):
    """Sends one INVITE, follows its forks and makes the usage of the first that answers.

    Does no I/O. After each call, carry out what `messages_to_send` returns and act on what
    `next_event` returns; one of `Established` and `Refused` comes, once. Feed it the responses
    as long as the transactions last: each 2xx that is sent again gets its ACK again, and each
    further fork that answers gets ACK and BYE. `request` has no Via; `timer` adds its headers,
    and asks again where the peer wants a longer interval. `capabilities` are for the usage.
    """

    __slots__ = (
        "_acks",
        "_authorize",
        "_cancelled",
        "_capabilities",
        "_contact",
        "_early",
        "_over",
        "_random",
        "_timer",
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
        timer: SessionTimer | None = None,
        capabilities: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__()
        self.request = request if timer is None else _timed(request, timer)
        self.usage: InviteUsage | None = None
        self._contact = contact
        self._random = random
        self._timers = timers
        self._authorize = authorize
        self._timer = timer
        self._capabilities = tuple(capabilities)
        self._early: dict[str | None, EarlyDialog] = {}
        self._acks: dict[str | None, Acknowledge] = {}  # by To tag
        self._cancelled = self._over = False
        self._command(Ask(self.request))

    def cancel(self) -> None:
        """Give the call up before it is answered; a 2xx that comes all the same is ended."""
        if not (self._over or self._cancelled):
            self._cancelled = True
            self._command(Cancel())

    def acknowledge(self, answer: bytes) -> None:
        """Send the ACK that carries our answer to the offer of `Established`."""
        if self.usage is not None and (tag := self._tag_of(self.usage)) not in self._acks:
            self._acknowledge(self.usage.dialog, tag, answer)

    def answer_early(self, dialog: Dialog, answer: bytes) -> None:
        """Answer the offer of an `EarlyOffered`."""
        if (early := self._early.get(dialog.remote.tag)) is not None:
            early.acknowledge(answer)
            early.offer.respond(200, headers=self._capabilities, body=answer)

    def refuse_early(self, dialog: Dialog, status: int) -> None:
        """Refuse the offer of an `EarlyOffered` that came by UPDATE."""
        if (early := self._early.get(dialog.remote.tag)) is not None:
            early.offer.respond(status)

    def update(self, dialog: Dialog, offer: bytes) -> bool:
        """Offer another session to a fork before it answers; tell whether that can be done now."""
        early = self._early.get(dialog.remote.tag)
        return early is not None and not self._over and early.update(offer)

    def receive_request(self, key: TransactionKey, request: Request) -> None:
        """Take a request of the peer within one of the early dialogs."""
        early = self._early.get(request.from_.tag)
        if early is not None and early.receive_request(key, request):
            self._events.append(EarlyOffered(early.dialog, description_of(request)))

    def receive_response(self, response: Response, *, now: float) -> None:
        """Take a response to the INVITE, to a PRACK or UPDATE, or to the BYE of a fork."""
        if response.cseq.method in ("PRACK", "UPDATE"):
            early = self._early.get(response.to.tag)
            if early is not None and early.receive_response(response):
                self._events.append(EarlyUpdated(early.dialog, response))
        elif response.cseq != self.request.cseq:
            pass  # of the BYE of a fork, or of an INVITE that was sent again since
        elif response.status < 200:
            self._receive_provisional(response)
        elif response.status < 300:
            self._receive_2xx(response, now)
        elif not self._over:
            self._receive_failure(response)

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that a transaction of this attempt ended without an answer."""
        if key.method == "INVITE" and not self._over:
            self._refuse(status, None)

    def _receive_provisional(self, response: Response) -> None:
        if response.status == 100 or self._over:
            return
        if response.to.tag is None:
            self._events.append(Ringing(response))
            return
        early = self._early_of(response)
        offer = early.receive_provisional(response)
        if offer is None:
            return
        self._events.append(Ringing(response, early.dialog))
        if offer:
            self._events.append(EarlyOffered(early.dialog, offer))

    def _receive_2xx(self, response: Response, now: float) -> None:
        tag = response.to.tag
        if tag in self._acks:
            self._command(self._acks[tag])
        elif self._cancelled or (self.usage is not None and tag != self._tag_of(self.usage)):
            self._hang_up(response)
        elif self.usage is None:
            self._establish(response, now)

    def _establish(self, response: Response, now: float) -> None:
        self._over = True
        self.usage = InviteUsage(
            self._early_of(response).dialog,
            owner=True,
            random=self._random,
            timers=self._timers,
            authorize=self._authorize,
            timer=self._timer,
            capabilities=self._capabilities,
        )
        self.usage.note_peer(response)
        if self._timer is not None:
            self._timer.receive_2xx(response, now=now)
        if self.request.body:
            self.acknowledge(b"")
        self._events.append(Established(self.usage, response, description_of(response)))

    def _hang_up(self, response: Response) -> None:
        """End a session that nobody wants: cancelled too late, or of a slower fork."""
        dialog = self._early_of(response).dialog
        self._acknowledge(dialog, response.to.tag, b"")
        self._command(Ask(dialog.create_request("BYE")))
        if not self._over:
            self._refuse(487, response)

    def _receive_failure(self, response: Response) -> None:
        fields = None if self._cancelled else self._changes_for(response)
        if fields is None:
            self._refuse(response.status, response)
            return
        number = self.request.cseq.number + 1
        self.request = with_credentials(self.request, number, fields)
        self._early.clear()
        self._command(Ask(self.request))

    def _changes_for(self, response: Response) -> Sequence[tuple[str, str]] | None:
        """Give the fields to ask again with; None if the refusal stands."""
        if response.status == 422 and self._timer is not None:
            return self._timer.request_headers() if self._timer.receive_422(response) else None
        return authorized(self.request, response, self._authorize)

    def _refuse(self, status: int, response: Response | None) -> None:
        self._over = True
        self._events.append(Refused(487 if self._cancelled else status, response))

    def _acknowledge(self, dialog: Dialog, tag: str | None, body: bytes) -> None:
        number, headers = self.request.cseq.number, credentials_of(self.request)
        self._acks[tag] = Acknowledge(dialog.create_ack(number, body, headers=headers))
        self._command(self._acks[tag])

    def _early_of(self, response: Response) -> EarlyDialog:
        tag = response.to.tag
        if tag in self._early:
            self._early[tag].dialog.receive_response(response)
        else:
            self._early[tag] = EarlyDialog(
                Dialog.as_uac(self.request, response, self._contact),
                self._command,
                offered=bool(self.request.body),
                authorize=self._authorize,
            )
        return self._early[tag]

    @staticmethod
    def _tag_of(usage: InviteUsage) -> str | None:
        return usage.dialog.remote.tag


def _timed(request: Request, timer: SessionTimer) -> Request:
    headers = request.headers
    for name, value in timer.request_headers():
        headers = headers.replace(name, value)
    return request.with_headers(headers)
