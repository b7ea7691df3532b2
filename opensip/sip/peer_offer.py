"""The offer of the peer that came by UPDATE or PRACK: RFC 3311 section 5.2, RFC 3262 section 5."""

from collections.abc import Callable, Iterable

from opensip.sip.dialog import Dialog
from opensip.sip.message import Request
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Command, Respond


class PeerOffer:
    """One request with an offer, until it is answered. Does no I/O."""

    __slots__ = ("_command", "_dialog", "_key", "request")

    def __init__(self, dialog: Dialog, command: Callable[[Command], None]) -> None:
        self.request: Request | None = None  # while it waits for our answer
        self._key: TransactionKey | None = None
        self._dialog = dialog
        self._command = command

    @property
    def is_open(self) -> bool:
        """True while it waits for our answer."""
        return self.request is not None

    def begin(self, key: TransactionKey, request: Request) -> None:
        """Take one."""
        self._key, self.request = key, request

    def respond(
        self, status: int, *, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        """Answer or refuse it; nothing happens where none waits."""
        key, request = self._key, self.request
        self._key = self.request = None
        if key is not None and request is not None:
            response = self._dialog.create_response(request, status, headers=headers, body=body)
            self._command(Respond(key, response))
