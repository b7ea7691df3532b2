"""REFER on the wire, both ways: who sends it follows it, who gets it reports (RFC 3515)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from opensip.sip.dialog import Dialog
from opensip.sip.fields import ReferTo
from opensip.sip.message import Request, Response
from opensip.sip.refer_usage import ReferProgress, ReferReceiver, ReferSender
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Authorize
from opensip.ua.alarm import Alarm
from opensip.ua.courier import Courier

__all__ = ["IncomingRefer", "OutgoingRefer", "ReferProgress"]


class OutgoingRefer:
    """Our REFER and the NOTIFYs that follow it. Iterate over its progress, to the final one."""

    def __init__(
        self,
        courier: Courier,
        dialog: Dialog,
        refer_to: str,
        *,
        headers: Iterable[tuple[str, str]],
        patience: float,
        authorize: Authorize | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._courier = courier
        self._usage = ReferSender(
            dialog, refer_to, headers=headers, patience=patience, authorize=authorize
        )
        self._alarm = Alarm(self._ring)
        self._progress: asyncio.Queue[ReferProgress] = asyncio.Queue()
        self._step()

    @property
    def is_over(self) -> bool:
        """True once the final progress was told."""
        return self._usage.is_final

    def matches(self, request: Request) -> bool:
        """Tell whether a NOTIFY is about this REFER."""
        return self._usage.matches(request)

    def receive_notify(self, key: TransactionKey, request: Request) -> None:
        """Take a NOTIFY that matches."""
        self._usage.receive_notify(key, request, now=self._loop.time())
        self._step()

    def receive_bye(self) -> None:
        """Learn that the peer hung up."""
        self._usage.receive_bye()
        self._step()

    def receive_response(self, response: Response) -> None:
        """Take a response to the REFER."""
        self._usage.receive_response(response, now=self._loop.time())
        self._step()

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that the REFER was not answered."""
        self._usage.transaction_failed(status)
        self._step()

    async def follow(self) -> AsyncIterator[ReferProgress]:
        """Give each progress as it comes; the final one is the last."""
        while True:
            progress = await self._progress.get()
            yield progress
            if progress.final:
                return

    def _ring(self, now: float) -> None:
        self._usage.handle_timer(now=now)
        self._step()

    def _step(self) -> None:
        self._courier.carry_out(self._usage.messages_to_send(), self)
        while (progress := self._usage.next_event()) is not None:
            self._progress.put_nowait(progress)
        self._alarm.set(self._usage.get_timer())


class IncomingRefer:
    """A REFER of the peer: `accept` or `reject` it, then `notify` to the final status."""

    def __init__(
        self,
        courier: Courier,
        dialog: Dialog,
        key: TransactionKey,
        request: Request,
        *,
        is_alive: Callable[[], bool],
    ) -> None:
        """Raises RemoteProtocolError (400) unless there is one Refer-To that can be read."""
        self._loop = asyncio.get_running_loop()
        self._courier = courier
        self._usage = ReferReceiver(dialog, key, request)
        self._is_alive = is_alive
        self._answered: asyncio.Future[None] | None = None
        self.request = request
        self.is_open = True  # neither accepted nor rejected

    @property
    def target(self) -> ReferTo:
        """Where the peer wants us to call."""
        return self._usage.target

    def accept(self) -> None:
        """Answer 202 and tell of 100 Trying."""
        self.is_open = False
        self._usage.accept()
        self._step()

    def reject(self, status: int = 603, reason: str | None = None) -> None:
        """Refuse it."""
        self.is_open = False
        self._usage.reject(status, reason)
        self._step()

    async def notify(self, status: int, reason: str | None = None, final: bool = False) -> None:
        """Tell how the target answered, and wait for the peer to take that in.

        A status of 200 or more is always final; after it, or after a BYE, nothing is sent.
        """
        if self._usage.is_over or not self._is_alive():
            return
        self._answered = self._loop.create_future()
        self._usage.notify(status, reason, final=final)
        self._step()
        await self._answered

    def receive_response(self, response: Response) -> None:
        """Take the answer to a NOTIFY."""
        self._usage.receive_response(response, now=self._loop.time())
        if response.status >= 200:
            self._wake()

    def transaction_failed(self, key: TransactionKey, status: int) -> None:
        """Learn that a NOTIFY was not answered."""
        self._usage.transaction_failed(status)
        self._wake()

    def _wake(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def _step(self) -> None:
        self._courier.carry_out(self._usage.messages_to_send(), self)
