"""The stack under all calls of an endpoint: transaction layer, transport and one alarm.

Feed, send, drain events, re-arm: nothing here knows what a call is.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, assert_never

import structlog

from opensip.errors import RemoteProtocolError, TransportFailed
from opensip.events import Observer, SipReceived, SipSent
from opensip.net.sip_transport import SipTransport
from opensip.sip.dialog import DialogId
from opensip.sip.flow import Flow
from opensip.sip.framing import UnreadableStream
from opensip.sip.message import (
    Request,
    Response,
    check_request,
    check_response,
    parse_message,
    response_to,
)
from opensip.sip.transaction import (
    AckReceived,
    CancelReceived,
    Event,
    RequestReceived,
    ResponseReceived,
    ResponseUnacknowledged,
    TransactionEnded,
    TransactionFailed,
    TransactionKey,
)
from opensip.sip.transaction.layer import TransactionLayer
from opensip.sip.transaction.matching import key_of_request
from opensip.sip.uri import Uri
from opensip.ua.admission import Admission
from opensip.ua.alarm import Alarm
from opensip.ua.background import Background
from opensip.ua.core import Asker, Participant
from opensip.ua.detours import Detours
from opensip.ua.endpoint_config import EndpointConfig
from opensip.ua.gate import Gate
from opensip.ua.options import Refusal, screen
from opensip.ua.outgoing import Outgoing
from opensip.ua.watch import Watches
from opensip.ua.ways import Destination, WayFinder, Ways

log = structlog.get_logger(__name__)

TakeNew = Callable[[TransactionKey, Request, Flow], None]


class Stack:
    """Carries the messages of all calls: `ua.core.Core` to them.

    `take_new` gets each new request outside a dialog, to be answered or forgotten.
    """

    def __init__(
        self,
        config: EndpointConfig,
        *,
        admission: Admission,
        take_new: TakeNew,
        open_transport: Callable[..., SipTransport],
    ) -> None:
        self.timers = config.timers
        self.user_agent = config.user_agent
        self.gate = Gate(admission, self._send_bytes, config.abuse)
        self._take_new = take_new
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(self._ring)
        self._layer = TransactionLayer(token=self.token, timers=config.timers)
        self._transport = open_transport(
            config.listeners,
            receive=self._receive,
            failed=self._flow_failed,
            client_tls=config.client_tls,
            limits=config.connections,
            porter=self.gate,
        )
        self._finder = WayFinder(self._transport, config.name_servers, config.blacklist_seconds)
        self._received = b""  # the message that is being dealt with
        self._is_stepping = False
        self._dialogs: dict[DialogId, Participant] = {}
        self._invites: dict[TransactionKey, Participant] = {}  # for CANCEL and failed responses
        self._watches = Watches()
        self._background = Background()
        self._detours = Detours(self._transport)
        self._outgoing = Outgoing(
            self._layer,
            self._transport,
            detours=self._detours,
            spawn=self._background.spawn,
            step=self._step,
        )

    @property
    def bound(self) -> list[tuple[str, str, int]]:
        """List what is listened on."""
        return self._transport.bound

    async def start(self) -> None:
        """Bind every listener, or raise ConfigError."""
        await self._transport.start()

    def use(self, config: EndpointConfig) -> None:
        """Show other certificates to new connections, know other networks, or raise ConfigError."""
        self._transport.use(config.listeners, config.client_tls)

    async def close(self) -> None:
        """Hang up what is left, stop what runs in the background, and close every socket."""
        for participant in tuple(self._dialogs.values()):
            participant.hang_up()
        await self._outgoing.wait_answered()
        await self._background.close()
        await self._transport.close()
        self._alarm.set(None)

    def counts(self) -> dict[str, int]:
        """Count dialogs, transactions (those that linger too) and connections."""
        return {
            "dialogs": len(self._dialogs),
            "transactions": sum(self._layer.counts().values()),
            "connections": self._transport.connection_count,
        }

    def observe(self, call_id: str, observer: Observer) -> None:
        """Let an observer see the messages of a call, those kept for it first."""
        self._watches.of(call_id).attach(observer)

    def unobserve(self, call_id: str) -> None:
        """Watch a call no more."""
        self._watches.pop(call_id, None)

    def begin_watch(self, request: Request, flow: Flow) -> None:
        """Keep the messages of a call, from the one that has just come, for its observer."""
        watch = self._watches.of(request.call_id)
        watch.note(SipReceived, self._loop.time(), flow, self._received)

    def await_cancel(self, key: TransactionKey, participant: Participant) -> None:
        """Let a CANCEL of the INVITE `key` go to `participant`."""
        self._invites[key] = participant

    def trust(self, flow: Flow) -> None:
        """Take a flow for a known peer's."""
        self._transport.trust(flow)

    def forget(self, key: TransactionKey) -> None:
        """Let a request go unanswered, without a trace."""
        self._layer.forget(key)

    def refuse(self, key: TransactionKey, request: Request, refusal: Refusal) -> None:
        """Answer a request that makes no dialog."""
        status, headers, reason = refusal.status, refusal.headers, refusal.reason
        response = response_to(request, status, reason, to_tag=self.token(), headers=headers)
        self.respond(key, response)

    # ---- what calls need: ua.core.Core

    def token(self) -> str:
        """Make an unguessable token."""
        return secrets.token_hex(8)

    def respond(self, key: TransactionKey, response: Response) -> None:
        """Answer a request."""
        self._layer.respond(key, response, now=self._loop.time())
        if response.status >= 200:
            self._invites.pop(key, None)
        self._step()

    def ask(self, request: Request, flow: Flow, asker: Asker) -> TransactionKey:
        """Send a request by a new transaction."""
        self.gate.vouch(flow, now=self._loop.time())
        return self._outgoing.ask(request, flow, asker)

    def acknowledge(self, request: Request, flow: Flow) -> None:
        """Send the ACK of a 2xx."""
        self._outgoing.acknowledge(request, flow)

    def cancel(self, key: TransactionKey) -> None:
        """Cancel an INVITE of ours."""
        self._outgoing.cancel(key)

    def contact(self, flow: Flow, *, secure: bool) -> str:
        """Write our Contact as the peer at the other end of a flow can reach it."""
        scheme = "sips" if secure else "sip"
        transport = f";transport={flow.transport.lower()}" if flow.reliable else ""
        return f"<{scheme}:{self._transport.sent_by(flow)}{transport}>"

    def is_open(self, flow: Flow) -> bool:
        """Tell whether anything can be sent on a flow."""
        return self._transport.is_open(flow)

    async def flow_to(self, uri: Uri) -> Flow:
        """Find the way to a URI: the first of its targets that can be reached."""
        return await self.ways(Destination(uri)).next_flow()

    def ways(self, destination: Destination) -> Ways:
        """Find all ways to a destination, to be tried one after another."""
        return self._finder.ways(destination)

    def join(self, dialog: DialogId, participant: Participant) -> None:
        """Let the requests of a dialog go to `participant`."""
        self._dialogs[dialog] = participant

    def participant(self, dialog: DialogId) -> Participant | None:
        """Find who holds a dialog."""
        return self._dialogs.get(dialog)

    def leave(self, dialog: DialogId) -> None:
        """Know the dialog no more."""
        self._dialogs.pop(dialog, None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something in the background until the endpoint closes."""
        return self._background.spawn(work)

    # ---- what the transport brings

    def _receive(self, data: bytes | RemoteProtocolError, flow: Flow) -> None:
        try:
            self._feed(data, flow)
        except Exception:  # border: no message of one peer may disturb the others
            log.exception("message_failed", source=flow.remote[0])
        self._step()

    def _feed(self, data: bytes | RemoteProtocolError, flow: Flow) -> None:
        now = self._loop.time()
        if isinstance(data, RemoteProtocolError):
            head = data.head if isinstance(data, UnreadableStream) else b""
            if self.gate.hears(head, flow, now=now):
                self.gate.refuse_bytes(head, data, flow, now=now)
            return
        if not self.gate.hears(data, flow, now=now):
            return
        self._watches.note(SipReceived, now, flow, data)
        self._received = data
        try:
            message = parse_message(data)
            if isinstance(message, Request):
                check_request(message)
                if message.method == "CANCEL" and not self._may_cancel(message, flow, now):
                    return
            else:
                check_response(message)
            self._layer.receive(message, flow, now=now)
        except RemoteProtocolError as error:
            self.gate.refuse_bytes(data, error, flow, now=now)

    def _may_cancel(self, request: Request, flow: Flow, now: float) -> bool:
        """Keep the layer from answering 481 to the CANCEL of a stranger."""
        invite = key_of_request(request)._replace(method="INVITE")
        return invite in self._invites or self.gate.answers_cancel(flow, now=now)

    def _send_bytes(self, data: bytes, flow: Flow) -> None:
        self._transport.send(data, flow)

    def _flow_failed(self, flow: Flow) -> None:
        if flow.reliable:
            self._layer.connection_lost(flow, now=self._loop.time())
        else:
            self._layer.transport_failed(flow, now=self._loop.time())
        self._step()

    def _ring(self, now: float) -> None:
        self._layer.handle_timer(now=now)
        self._step()

    def _step(self) -> None:
        """Send what is to be sent, act on what happened, and set the alarm anew."""
        if self._is_stepping:
            return  # called by what we called: the loop below goes on with it
        self._is_stepping = True
        try:
            self._send_all()
            while (event := self._layer.next_event()) is not None:
                try:
                    self._dispatch(event)
                except Exception:  # border: an event of one call may not stop the others
                    log.exception("event_failed", what=type(event).__name__)
                self._send_all()
        finally:
            self._is_stepping = False
        self._alarm.set_no_later(self._layer.get_timer())

    def _send_all(self) -> None:
        for flow, data in self._layer.messages_to_send():
            self._watches.note(SipSent, self._loop.time(), flow, data)
            if flow.reliable and data[:4] == b"SIP/" and not self._transport.is_open(flow):
                self.spawn(self._send_back(data, flow))
            else:
                self._transport.send(data, flow)

    async def _send_back(self, data: bytes, flow: Flow) -> None:
        """Send a response over another connection than its request's, which is gone."""
        try:
            self._transport.send(data, await self._detours.back(data, flow))
        except TransportFailed:
            self._layer.transport_failed(flow, now=self._loop.time())
            self._step()

    def _dispatch(self, event: Event) -> None:
        match event:
            case RequestReceived(key, request, flow):
                self._take_request(key, request, flow)
            case ResponseReceived(key, response, _):
                self._outgoing.take_response(key, response)
            case AckReceived(request, _):
                if (participant := self._dialogs.get(DialogId.of(request))) is not None:
                    participant.receive_ack(request)
            case CancelReceived(key, request):
                if (participant := self._invites.get(key)) is not None:
                    participant.receive_cancel(request)
            case TransactionFailed(key, status):
                self._take_failure(key, status)
            case TransactionEnded(key):
                self._outgoing.forget(key)
            case ResponseUnacknowledged(key):
                log.info("response_unacknowledged", branch=key.branch)
            case _:
                assert_never(event)

    def _take_failure(self, key: TransactionKey, status: int) -> None:
        if (participant := self._invites.pop(key, None)) is not None:
            participant.transaction_failed(key, status)
        else:
            self._outgoing.take_failure(key, status)

    def _take_request(self, key: TransactionKey, request: Request, flow: Flow) -> None:
        if request.to.tag is None:
            self._take_new(key, request, flow)
            return
        if (participant := self._dialogs.get(DialogId.of(request))) is None:
            self._layer.forget(key)
            self.gate.refuse_stray(request, flow, now=self._loop.time())
            return
        self._transport.trust(flow)
        refusal = screen(request) if request.method != "BYE" else None
        if refusal is not None:
            self.refuse(key, request, refusal)
            return
        if request.method == "INVITE":
            self._invites[key] = participant
        participant.receive_request(key, request, flow)
