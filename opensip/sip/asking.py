"""A request of ours within a dialog, asked again where it is challenged: RFC 3261 section 22."""

from collections.abc import Callable, Iterable, Sequence

from opensip.sip.dialog import Dialog
from opensip.sip.message import Request, Response
from opensip.sip.usage import Ask, Authorize, Command, authorized, with_credentials


class Asking:
    """One request at a time, until its final response. Does no I/O.

    `command` takes what is to be sent. `request` is the one that waits, as it was sent last.
    """

    __slots__ = ("_authorize", "_command", "_dialog", "request")

    def __init__(
        self, dialog: Dialog, command: Callable[[Command], None], authorize: Authorize | None
    ) -> None:
        self.request: Request | None = None
        self._dialog = dialog
        self._command = command
        self._authorize = authorize

    @property
    def is_busy(self) -> bool:
        """True from the request until its final response."""
        return self.request is not None

    def send(
        self, method: str, *, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        """Send a request; a response to the one before is not waited for any more."""
        self.request = self._dialog.create_request(method, headers=headers, body=body)
        self._command(Ask(self.request))

    def receive(self, response: Response) -> Request | None:
        """Take a response to it; give the request if it is settled, neither 1xx nor challenged."""
        asked = self.request
        if asked is None or response.cseq != asked.cseq or response.status < 200:
            return None
        credentials = authorized(asked, response, self._authorize)
        if credentials is None:
            self.request = None
            return asked
        self.send_again(asked, credentials)
        return None

    def send_again(self, asked: Request, fields: Sequence[tuple[str, str]]) -> None:
        """Send a request anew, with `fields` in place of those of their names."""
        self._dialog.local_cseq += 1
        self.request = with_credentials(asked, self._dialog.local_cseq, fields)
        self._command(Ask(self.request))

    def fail(self) -> Request | None:
        """Learn that no response will come; give the request that waited."""
        asked, self.request = self.request, None
        return asked
