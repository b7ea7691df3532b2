"""A dialog that a provisional response to our INVITE has made: RFC 3262 section 4, RFC 3311."""

from collections.abc import Callable

from opensip.errors import RemoteProtocolError
from opensip.sip.asking import Asking
from opensip.sip.dialog import Dialog
from opensip.sip.message import Request, Response
from opensip.sip.multipart import description_of
from opensip.sip.peer_offer import PeerOffer
from opensip.sip.reliable import requires_100rel
from opensip.sip.response_fields import RAck, RSeq
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Authorize, Command, Respond


class EarlyDialog:
    """Acknowledges the reliable responses of one fork, each once and in order. Does no I/O.

    `offered` tells that the INVITE made an offer. `command` takes what is to be sent.
    """

    __slots__ = ("_command", "_described", "_offered", "_prack", "_rseq", "_update", "_waiting",
                 "dialog", "offer")  # fmt: skip

    def __init__(
        self,
        dialog: Dialog,
        command: Callable[[Command], None],
        *,
        offered: bool,
        authorize: Authorize | None,
    ) -> None:
        self.dialog = dialog
        self.offer = PeerOffer(dialog, command)  # of an UPDATE, while it waits for our answer
        self._command = command
        self._offered = offered
        self._described = False  # a reliable response had a body
        self._rseq: int | None = None
        self._waiting: RAck | None = None  # of an offer: its PRACK carries our answer
        self._prack = Asking(dialog, command, authorize)
        self._update = Asking(dialog, command, authorize)

    @property
    def is_described(self) -> bool:
        """True once offer and answer are exchanged: either side may send UPDATE."""
        return self._described and self._waiting is None

    def receive_provisional(self, response: Response) -> bytes | None:
        """Take a 1xx of this fork, and acknowledge it if it is reliable.

        Gives the body if it is an offer, whose PRACK waits for `acknowledge`, else b""; None
        if the response came before, or too early: it is as if it had not come.
        """
        if not requires_100rel(response):
            return b""
        try:
            rseq = RSeq.parse(response.headers.get("RSeq") or "").number
        except RemoteProtocolError:
            return None  # what cannot be acknowledged will come again, and then time out
        if self._rseq is not None and rseq != self._rseq + 1:
            return None
        self._rseq = rseq
        rack = RAck(rseq, response.cseq)
        description = description_of(response)
        is_offer = bool(description) and not (self._offered or self._described)
        self._described = self._described or bool(description)
        if is_offer:
            self._waiting = rack
            return description
        self._acknowledge(rack, b"")
        return b""

    def acknowledge(self, answer: bytes) -> None:
        """Send the PRACK that answers the peer's offer, if one waits."""
        rack, self._waiting = self._waiting, None
        if rack is not None:
            self._acknowledge(rack, answer)

    def update(self, offer: bytes) -> bool:
        """Offer another session by UPDATE; tell whether that can be done now."""
        if not self.is_described or self._update.is_busy or self.offer.is_open:
            return False
        self._update.send("UPDATE", body=offer)
        return True

    def receive_response(self, response: Response) -> bool:
        """Take a response to a PRACK or UPDATE; tell whether it settles an UPDATE."""
        self._prack.receive(response)
        return self._update.receive(response) is not None

    def receive_request(self, key: TransactionKey, request: Request) -> bool:
        """Take a request of the peer; tell whether it has made an `offer`, to be answered."""
        try:
            self.dialog.receive_request(request)
        except RemoteProtocolError as error:
            self._respond(key, request, error.sip_status)
            return False
        if request.method != "UPDATE":
            self._respond(key, request, 481)  # nothing else may come before the answer
        elif self.offer.is_open:
            self._respond(key, request, 500, ("Retry-After", "1"))
        elif not description_of(request):
            self._respond(key, request, 200)
        elif self._update.is_busy or not self.is_described:
            self._respond(key, request, 491)
        else:
            self.offer.begin(key, request)
            return True
        return False

    def _acknowledge(self, rack: RAck, answer: bytes) -> None:
        self._prack.send("PRACK", headers=[("RAck", str(rack))], body=answer)

    def _respond(
        self, key: TransactionKey, request: Request, status: int, *headers: tuple[str, str]
    ) -> None:
        response = self.dialog.create_response(request, status, headers=headers)
        self._command(Respond(key, response))
