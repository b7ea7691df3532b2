"""What calls and sessions need of the endpoint that carries them."""

import asyncio
import enum
from collections.abc import Coroutine
from typing import Any, Protocol

from opensip.sip.dialog import DialogId
from opensip.sip.flow import Flow
from opensip.sip.message import Request, Response
from opensip.sip.timers import Timers
from opensip.sip.transaction import TransactionKey
from opensip.sip.uri import Uri


class Asker(Protocol):
    """Whoever sent a request: learns of its responses, or that none came."""

    def receive_response(self, response: Response) -> None:
        """Take a response; every 2xx of an INVITE comes, however often it is sent."""

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that no final response will come: 408 time-out, 503 transport failure."""


class Stage(enum.Enum):
    """What a dialog is to somebody who wants to take it over (RFC 3891 section 3)."""

    CALLING = enum.auto()  # early, by an INVITE of ours
    CALLED = enum.auto()  # early, by an INVITE of the peer
    TALKING = enum.auto()
    OVER = enum.auto()


class Participant(Protocol):
    """Whoever holds a dialog: gets what the peer sends within it."""

    @property
    def stage(self) -> Stage:
        """How far the call is."""

    def receive_request(self, key: TransactionKey, request: Request, flow: Flow) -> None:
        """Take a new request, to be answered with `Core.respond`."""

    def receive_ack(self, request: Request) -> None:
        """Take the ACK of a 2xx."""

    def receive_cancel(self, request: Request) -> None:
        """Learn that the peer cancelled the INVITE that waits for our answer."""

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that a response of ours could not be delivered."""

    def hang_up(self) -> None:
        """End the call without waiting: the endpoint closes."""


class Core(Protocol):
    """The endpoint as its calls see it."""

    @property
    def timers(self) -> Timers:
        """The base timer values of all transactions."""

    @property
    def user_agent(self) -> str:
        """What stands in User-Agent and Server."""

    def token(self) -> str:
        """Make an unguessable token for tags, Call-IDs and nonces."""

    def respond(self, key: TransactionKey, response: Response) -> None:
        """Answer a request."""

    def ask(self, request: Request, flow: Flow, asker: Asker) -> TransactionKey:
        """Send a request by a new transaction."""

    def acknowledge(self, request: Request, flow: Flow) -> None:
        """Send the ACK of a 2xx."""

    def cancel(self, key: TransactionKey) -> None:
        """Cancel an INVITE of ours."""

    def contact(self, flow: Flow, *, secure: bool) -> str:
        """Write our Contact as the peer at the other end of a flow can reach it."""

    def is_open(self, flow: Flow) -> bool:
        """Tell whether anything can still be sent on a flow."""

    async def flow_to(self, uri: Uri) -> Flow:
        """Find the way to a URI, or raise TransportFailed."""

    def join(self, dialog: DialogId, participant: Participant) -> None:
        """Let the requests of a dialog go to `participant`."""

    def leave(self, dialog: DialogId) -> None:
        """Know the dialog no more: requests of it are answered with 481."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something in the background until the endpoint closes."""
