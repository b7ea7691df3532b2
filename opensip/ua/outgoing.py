"""Our requests on their way: who asked, what is not answered yet, what takes another way."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from opensip.net.sip_transport import SipTransport
from opensip.sip.flow import Flow
from opensip.sip.message import Request, Response
from opensip.sip.transaction import TransactionKey
from opensip.sip.transaction.layer import TransactionLayer
from opensip.ua.core import Asker
from opensip.ua.detours import Detours, is_large
from opensip.ua.unanswered import Unanswered

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Outgoing:
    """Sends requests through the layer. `step` lets the layer's owner carry out what it wants."""

    def __init__(
        self,
        layer: TransactionLayer,
        transport: SipTransport,
        *,
        detours: Detours,
        spawn: Spawn,
        step: Callable[[], None],
    ) -> None:
        self._layer = layer
        self._transport = transport
        self._detours = detours
        self._spawn = spawn
        self._step = step
        self._loop = asyncio.get_running_loop()
        self._askers: dict[TransactionKey, Asker] = {}
        self._unanswered = Unanswered()
        self._detoured: dict[TransactionKey, asyncio.Task[None]] = {}

    def ask(self, request: Request, flow: Flow, asker: Asker) -> TransactionKey:
        """Send a request by a new transaction; one too large for UDP goes by TCP if it can."""
        key = self._layer.new_key(request.method)
        self._askers[key] = asker
        self._unanswered.add(key)
        if is_large(request, flow):
            self._detoured[key] = self._spawn(self._send_wide(key, request, flow))
        else:
            self._send(key, request, flow)
        return key

    def acknowledge(self, request: Request, flow: Flow) -> None:
        """Send the ACK of a 2xx."""
        if is_large(request, flow):
            self._spawn(self._acknowledge_wide(request, flow))
        else:
            self._acknowledge(request, flow)

    def cancel(self, key: TransactionKey) -> None:
        """Cancel an INVITE; one that is not out yet never goes."""
        if (sending := self._detoured.pop(key, None)) is not None:
            sending.cancel()
            self._loop.call_soon(self._never_sent, key)
            return
        self._layer.cancel(key, now=self._loop.time())
        self._step()

    def take_response(self, key: TransactionKey, response: Response) -> None:
        """Hand a response to who asked."""
        if (asker := self._askers.get(key)) is not None:
            asker.receive_response(response)
        if response.status >= 200:  # after what the answer led to was asked
            self._unanswered.settle(key)

    def take_failure(self, key: TransactionKey, status: int) -> None:
        """Tell who asked that no answer will come."""
        if (asker := self._askers.get(key)) is not None:
            asker.transaction_failed(key, status)
        self._unanswered.settle(key)

    def forget(self, key: TransactionKey) -> None:
        """Learn that nothing more will come of a request."""
        self._askers.pop(key, None)

    async def wait_answered(self) -> bool:
        """Wait until every request has its answer, but not for ever; tell whether it has."""
        return await self._unanswered.wait()

    def _never_sent(self, key: TransactionKey) -> None:
        self.take_failure(key, 487)
        self.forget(key)

    def _send(self, key: TransactionKey, request: Request, flow: Flow) -> None:
        sent_by, now = self._transport.sent_by(flow), self._loop.time()
        self._layer.send_request(request, flow, via_sent_by=sent_by, now=now, key=key)
        self._step()

    async def _send_wide(self, key: TransactionKey, request: Request, flow: Flow) -> None:
        wide = await self._detours.wide(flow)
        del self._detoured[key]
        self._send(key, request, wide)

    def _acknowledge(self, request: Request, flow: Flow) -> None:
        self._layer.send_stateless(request, flow, via_sent_by=self._transport.sent_by(flow))
        self._step()

    async def _acknowledge_wide(self, request: Request, flow: Flow) -> None:
        self._acknowledge(request, await self._detours.wide(flow))
