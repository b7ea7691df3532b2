"""The UPDATEs that we send within a dialog: RFC 3311 section 5.1."""

from collections.abc import Callable, Iterable

from opensip.sip.asking import Asking
from opensip.sip.dialog import Dialog
from opensip.sip.invite_events import Ended, Updated, UpdateRefused
from opensip.sip.message import Request, Response
from opensip.sip.multipart import description_of
from opensip.sip.session_timer import SessionTimer
from opensip.sip.usage import Authorize, Command, pause_after_491

Outcome = Updated | UpdateRefused | Ended


class Updates:
    """One UPDATE at a time, and the pause after a collision. Does no I/O.

    `owner` tells that the Call-ID is ours. `can_update` tells that the peer's Allow has named
    UPDATE, and no response has denied it since.
    """

    __slots__ = ("_asking", "_dialog", "_owner", "_random", "_timer", "can_update", "is_wanted",
                 "pause_until")  # fmt: skip

    def __init__(
        self,
        dialog: Dialog,
        command: Callable[[Command], None],
        *,
        owner: bool,
        random: Callable[[], float],
        authorize: Authorize | None,
        timer: SessionTimer,
    ) -> None:
        self.can_update = False
        self.is_wanted = False  # one was asked for while it could not be sent
        self.pause_until: float | None = None
        self._asking = Asking(dialog, command, authorize)
        self._dialog = dialog
        self._owner = owner
        self._random = random
        self._timer = timer

    @property
    def is_busy(self) -> bool:
        """True from the request until its final response."""
        return self._asking.is_busy

    @property
    def is_offering(self) -> bool:
        """True while an offer of ours has no answer."""
        return self._asking.request is not None and bool(self._asking.request.body)

    def note(self, message: Request | Response) -> None:
        """Learn from an Allow of the peer."""
        if message.headers.has("Allow"):
            allowed = message.headers.values("Allow")
            self.can_update = any(method.upper() == "UPDATE" for method in allowed)

    def send(self, body: bytes, headers: Iterable[tuple[str, str]]) -> None:
        """Send one; without a body it refreshes target and timer only."""
        self._asking.send("UPDATE", headers=headers, body=body)

    def receive_response(self, response: Response, *, live: bool, now: float) -> Outcome | None:
        """Take a response to one of them; `live` tells that the session goes on."""
        asked = self._asking.receive(response)
        if asked is None or not live:
            return None
        if response.status < 300:
            self._dialog.receive_response(response)
            return Updated(response, description_of(response), bool(asked.body))
        return self._refused(asked, response, now)

    def failed(self, status: int) -> Ended | None:
        """Learn that one was not answered: that ends the dialog."""
        return None if self._asking.fail() is None else Ended("lost", f"UPDATE: {status}")

    def is_due(self, now: float) -> bool:
        """Tell whether the pause after a collision is over; tell it once."""
        if self.pause_until is None or now < self.pause_until:
            return False
        self.pause_until = None
        return True

    def _refused(self, asked: Request, response: Response, now: float) -> Outcome | None:
        match response.status:
            case 422 if self._timer.receive_422(response):
                self._asking.send_again(asked, self._timer.request_headers())
                return None
            case 491 if asked.body:
                self.pause_until = now + pause_after_491(self._random, owner=self._owner)
                return None
            case 408 | 481 as status:
                return Ended("lost", f"UPDATE: {status}")
            case 405 | 501:
                self.can_update = False
        return UpdateRefused(response, bool(asked.body))
