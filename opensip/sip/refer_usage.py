"""The subscription that a REFER makes: RFC 3515, RFC 4488 (Refer-Sub), RFC 6665, both roles."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opensip.errors import RemoteProtocolError
from opensip.sip.dialog import Dialog
from opensip.sip.fields import Event as EventField
from opensip.sip.fields import ReferTo
from opensip.sip.message import Request, Response
from opensip.sip.reasons import reason_of
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Ask, Authorize, Respond, Usage, authorized, with_credentials

SIPFRAG = "message/sipfrag;version=2.0"
# Seconds without a final NOTIFY after which the target counts as lost. Others make them no more:
# RFC 3515 says how a REFER is reported on, not for how long, and a caller waits meanwhile.
PATIENCE = 30.0
EXPIRES = 60  # seconds that our own subscriptions are said to last
_STATUS_LINE = re.compile(rb"\s*SIP/2\.0[ \t]+([1-6][0-9]{2})(?![0-9])", re.I)


@dataclass(frozen=True, slots=True)
class ReferProgress:
    """How a transfer is getting on. Nothing follows one that is `final`.

    `way` is "refer" (the answer to the REFER itself), "notify" (what a NOTIFY says of the
    target; `status` 0 if it does not say, or stayed away) or "bye" (the peer hung up before it
    told, as many do after a transfer that worked: 200; 481 where it had not taken the REFER).
    """

    way: str
    status: int
    final: bool


def read_sipfrag(body: bytes) -> int:
    """Give the status of a sipfrag, whatever reason phrase follows; 0 if there is none."""
    match = _STATUS_LINE.match(body)
    return int(match[1]) if match else 0


def write_sipfrag(status: int, reason: str | None = None) -> bytes:
    """Write the status line that a NOTIFY of a REFER carries."""
    return f"SIP/2.0 {status} {reason or reason_of(status)}\r\n".encode()


class ReferSender(Usage[ReferProgress]):
    """Sends a REFER in a dialog and follows its NOTIFYs to the end. Does no I/O.

    After each call, carry out what `messages_to_send` returns and act on what `next_event`
    returns. NOTIFYs that it `matches` are given to `receive_notify`, before the answer to the
    REFER too, and after the end.
    """

    __slots__ = (
        "_accepted",
        "_authorize",
        "_deadline",
        "_ids",
        "_is_final",
        "_patience",
        "dialog",
        "request",
    )

    def __init__(
        self,
        dialog: Dialog,
        refer_to: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        patience: float = PATIENCE,
        authorize: Authorize | None = None,
    ) -> None:
        super().__init__()
        fields = [("Refer-To", refer_to), *headers]
        self.request = dialog.create_request("REFER", headers=fields)
        self.dialog = dialog
        self._ids = {str(self.request.cseq.number)}
        self._patience = patience
        self._authorize = authorize
        self._deadline: float | None = None
        self._accepted = False
        self._is_final = False
        self._command(Ask(self.request))

    @property
    def is_final(self) -> bool:
        """True once the final progress was told."""
        return self._is_final

    def matches(self, request: Request) -> bool:
        """Tell whether a NOTIFY of the dialog is of this REFER (RFC 3515 section 2.4.6)."""
        value = request.headers.get("Event")
        if request.method != "NOTIFY" or value is None:
            return False
        try:
            event = EventField.parse(value)
        except RemoteProtocolError:
            return False
        return event.package == "refer" and (event.id is None or event.id in self._ids)

    def receive_response(self, response: Response, *, now: float) -> None:
        """Take a response to the REFER: any 2xx accepts it (202, but 200 is met too)."""
        if response.status < 200 or response.cseq != self.request.cseq or self._accepted:
            return
        if response.status < 300:
            self._accept(response, now)
        elif (again := authorized(self.request, response, self._authorize)) is not None:
            self._ask_again(again)
        else:
            self._tell("refer", response.status, final=True)

    def receive_notify(self, key: TransactionKey, request: Request, *, now: float) -> None:
        """Take a NOTIFY that `matches`, and answer it with 200."""
        self._command(Respond(key, self.dialog.create_response(request, 200)))
        status = read_sipfrag(request.body)
        final = status >= 200 or _is_terminated(request)
        self._arm(now)
        if status or final:
            self._tell("notify", status, final=final)

    def receive_bye(self) -> None:
        """Learn that the peer ended the dialog: that means success once it took the REFER."""
        is_taken = self._accepted or self._deadline is not None
        self._tell("bye", 200 if is_taken else 481, final=True)

    def transaction_failed(self, status: int) -> None:
        """Learn that the REFER itself was not answered: 408 or 503."""
        if self._deadline is None:  # else a NOTIFY has come: it was accepted
            self._tell("refer", status, final=True)

    def get_timer(self) -> float | None:
        """Tell when `handle_timer` must next be called, if ever."""
        return self._deadline

    def handle_timer(self, *, now: float) -> None:
        """End the wait for a final NOTIFY if it is due."""
        if self._deadline is not None and now >= self._deadline:
            self._tell("notify", 0, final=True)

    def _accept(self, response: Response, now: float) -> None:
        self._accepted = True
        no_subscription = _refer_sub(response) == "false"
        self._tell("refer", response.status, final=no_subscription)
        self._arm(now)

    def _arm(self, now: float) -> None:
        """Begin to wait for the end, with the first that shows that the peer took the REFER."""
        if not self._is_final and self._deadline is None:
            self._deadline = now + self._patience

    def _ask_again(self, credentials: Sequence[tuple[str, str]]) -> None:
        self.dialog.local_cseq += 1
        number = self.dialog.local_cseq
        self.request = with_credentials(self.request, number, credentials)
        self._ids.add(str(number))
        self._command(Ask(self.request))

    def _tell(self, way: str, status: int, *, final: bool) -> None:
        if self._is_final:
            return
        self._is_final = final
        if final:
            self._deadline = None
        self._events.append(ReferProgress(way, status, final))


class ReferReceiver(Usage[ReferProgress]):
    """Answers the peer's REFER and tells it by NOTIFY how the target is getting on.

    Does no I/O. Call `accept` or `reject` first; events there are none.
    """

    __slots__ = ("_key", "_silent", "dialog", "is_over", "request", "target")

    def __init__(self, dialog: Dialog, key: TransactionKey, request: Request) -> None:
        """Raises RemoteProtocolError (400) unless there is just one Refer-To that can be read."""
        super().__init__()
        values = request.headers.values("Refer-To")
        if len(values) != 1:
            raise RemoteProtocolError(f"{len(values)} values of Refer-To")
        self.target = ReferTo.parse(values[0])
        self.request = request
        self.is_over = False
        self.dialog = dialog
        self._key = key
        self._silent = _refer_sub(request) == "false"

    def accept(self) -> None:
        """Answer 202 and say 100 in a first NOTIFY; nothing more if the peer wants none."""
        headers = [("Refer-Sub", "false")] if self._silent else []
        self._respond(202, headers)
        self.is_over = self._silent
        self.notify(100)

    def reject(self, status: int = 603, reason: str | None = None) -> None:
        """Refuse the REFER."""
        self._respond(status, (), reason)
        self.is_over = True

    def notify(self, status: int, reason: str | None = None, *, final: bool = False) -> None:
        """Tell the peer how the target answered; a status of 200 or more is always final."""
        if self.is_over:
            return
        self.is_over = final or status >= 200
        state = "terminated;reason=noresource" if self.is_over else f"active;expires={EXPIRES}"
        fields = [
            ("Event", f"refer;id={self.request.cseq.number}"),
            ("Subscription-State", state),
        ]
        body = write_sipfrag(status, reason)
        request = self.dialog.create_request(
            "NOTIFY", headers=fields, body=body, content_type=SIPFRAG
        )
        self._command(Ask(request))

    def receive_response(self, response: Response, *, now: float) -> None:
        """Take the answer to a NOTIFY: a refusal ends the subscription (RFC 6665 4.2.2)."""
        if response.status >= 300:
            self.is_over = True

    def transaction_failed(self, status: int) -> None:
        """Learn that a NOTIFY was not answered: the subscription is gone."""
        self.is_over = True

    def _respond(
        self, status: int, headers: Iterable[tuple[str, str]], reason: str | None = None
    ) -> None:
        response = self.dialog.create_response(self.request, status, reason, headers=headers)
        self._command(Respond(self._key, response))


def _refer_sub(message: Request | Response) -> str:
    return (message.headers.get("Refer-Sub") or "").partition(";")[0].strip().lower()


def _is_terminated(request: Request) -> bool:
    value = request.headers.get("Subscription-State") or ""
    return value.partition(";")[0].strip().lower() == "terminated"
