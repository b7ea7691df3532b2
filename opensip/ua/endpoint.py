"""The endpoint: who may call is asked at its gate, each call is a task, and it can dial."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

import structlog

from opensip.errors import OpenSipError, RemoteProtocolError
from opensip.events import Observer
from opensip.net.sip_transport import SipTransport
from opensip.sip.flow import Flow
from opensip.sip.message import Request, response_to
from opensip.sip.transaction import TransactionKey
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.admission import Admission, Admit
from opensip.ua.client_call import ClientCall
from opensip.ua.credentials import ChallengeAnswers, Credentials
from opensip.ua.endpoint_config import EndpointConfig
from opensip.ua.gate import Gate
from opensip.ua.invite import make_invite
from opensip.ua.negotiation import Negotiator
from opensip.ua.options import UNAVAILABLE, Refusal, capabilities, screen, screen_interval
from opensip.ua.redirects import MayFollow
from opensip.ua.replaces import screen_replaces
from opensip.ua.server_call import ServerCall
from opensip.ua.stack import Stack
from opensip.ua.ways import Destination, as_destination

__all__ = ["Endpoint", "EndpointConfig", "OnCall"]

log = structlog.get_logger(__name__)

CLOSE_TIMEOUT = 2.0  # seconds that calls have to say BYE when the endpoint closes

OnCall = Callable[[ServerCall], Awaitable[None]]


class Endpoint:
    """A SIP user agent: gives each admitted INVITE to `on_call`, and dials.

    To be made within a running loop. `on_call` runs as a task of its own, for as long as the
    call; a call that it returns from without an answer gets 500, an answered one is hung up.
    `open_transport` makes the side of the sockets.
    """

    def __init__(
        self,
        config: EndpointConfig,
        *,
        admission: Admission,
        on_call: OnCall,
        open_transport: Callable[..., SipTransport] = SipTransport,
    ) -> None:
        self._config = config
        self._on_call = on_call
        self._is_draining = False
        self._calls: set[asyncio.Task[None]] = set()
        self._stack = Stack(
            config, admission=admission, take_new=self._take, open_transport=open_transport
        )

    @property
    def bound(self) -> list[tuple[str, str, int]]:
        """List what is listened on: transport, host, port."""
        return self._stack.bound

    @property
    def is_draining(self) -> bool:
        """True once no new call is taken any more."""
        return self._is_draining

    @property
    def gate(self) -> Gate:
        """Who may come in, and the counts of those who may not."""
        return self._stack.gate

    async def start(self) -> None:
        """Bind every listener, or raise ConfigError."""
        await self._stack.start()

    def use(self, config: EndpointConfig) -> None:
        """Use certificates and known networks of a new configuration, or raise ConfigError."""
        self._stack.use(config)

    def drain(self) -> None:
        """Take no new call: OPTIONS and INVITE get 503 with Retry-After; calls go on."""
        self._is_draining = True

    async def close(self) -> None:
        """End what is left, calls included, and close every socket."""
        self._is_draining = True
        calls = tuple(self._calls)
        for _ in range(2):  # a call may say BYE when it is cancelled, but not for ever
            for task in calls:
                task.cancel()
            if calls:
                await asyncio.wait(calls, timeout=CLOSE_TIMEOUT)
        await self._stack.close()

    def counts(self) -> dict[str, int]:
        """Count what is alive: dialogs, transactions that linger too, calls, connections."""
        return {**self._stack.counts(), "calls": len(self._calls)}

    @property
    def core(self) -> Stack:
        """The stack, for what asks and registers on its own: `ua.registration`, `ua.probe`."""
        return self._stack

    async def flow_to(self, destination: Uri | Destination) -> Flow:
        """Find the way to a URI, or raise TransportFailed."""
        return await self._stack.ways(as_destination(destination)).next_flow()

    def contact(self, flow: Flow, *, secure: bool = False) -> str:
        """Write our Contact as the peer at the other end of a flow can reach it."""
        return self._stack.contact(flow, secure=secure)

    def observe(self, call_id: str, observer: Observer) -> None:
        """Let an observer see the messages of a call by its Call-ID, from the first one on."""
        self._stack.observe(call_id, observer)

    def unobserve(self, call_id: str) -> None:
        """Watch a call no more; an inbound one is let go when its task ends."""
        self._stack.unobserve(call_id)

    async def dial(
        self,
        to: Uri,
        *,
        from_: NameAddr,
        negotiator: Negotiator,
        offer: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
        credentials: Credentials | None = None,
        target: Uri | Destination | None = None,
        ring_timeout: float = 60.0,
        observer: Observer | None = None,
        may_follow: MayFollow | None = None,
    ) -> ClientCall:
        """Send an INVITE to `to`, by way of `target` where that is another host.

        Where a target cannot be reached, does not answer in time or says 503, the next one is
        tried (RFC 3263 section 4.3).
        A redirection (3xx) is followed to the hosts of `to` and `target` alone, and where
        `may_follow` allows it; never without that.
        `offer` is the negotiator's; it is asked for one where there is none. `ring_timeout` is
        in seconds. Raises TransportFailed where no way leads there.
        """
        stack = self._stack
        ways = stack.ways(as_destination(target or to))
        flow = await ways.next_flow()
        invite = self._invite(to, from_, flow, headers, offer or negotiator.offer())
        if observer is not None:
            stack.observe(invite.call_id, observer)
        call = ClientCall(
            stack,
            invite,
            flow,
            ways=ways,
            negotiator=negotiator,
            ring_timeout=ring_timeout,
            authorize=ChallengeAnswers(credentials, stack.token) if credentials else None,
            may_follow=may_follow,
        )
        if observer is not None:
            stack.spawn(self._unobserve_after(call))
        return call

    def _invite(
        self, to: Uri, from_: NameAddr, flow: Flow, headers: Iterable[tuple[str, str]], body: bytes
    ) -> Request:
        stack = self._stack
        return make_invite(
            to,
            from_.with_tag(stack.token()),
            call_id=stack.token(),
            contact=stack.contact(flow, secure=to.is_secure),
            user_agent=stack.user_agent,
            headers=headers,
            body=body,
        )

    async def _unobserve_after(self, call: ClientCall) -> None:
        with contextlib.suppress(OpenSipError):  # what failed is for whoever waits for the call
            session = await call.wait_answered()
            await session.wait_closed()
        self.unobserve(call.invite.call_id)

    def _take(self, key: TransactionKey, request: Request, flow: Flow) -> None:
        """Take a new request outside any dialog."""
        now = asyncio.get_running_loop().time()
        admit = self._stack.gate.admit(request, flow, now=now)
        if admit is None:
            self._stack.forget(key)
            return
        self._stack.trust(flow)
        refusal = self._refusal_of(request)
        if refusal is not None:
            why = f"{refusal.status} to {request.method}"
            self._stack.gate.note("unable", flow, why, now=now)
            self._stack.refuse(key, request, refusal)
        elif request.method == "INVITE":
            self._begin_call(key, request, flow, admit)
        else:
            headers = (*capabilities(), ("Server", self._config.user_agent))
            self._stack.refuse(key, request, Refusal(200, headers))

    def _refusal_of(self, request: Request) -> Refusal | None:
        """Refuse what we cannot do, or not now, outside any dialog."""
        if (refusal := screen(request)) is not None:
            return refusal
        if request.method not in ("INVITE", "OPTIONS"):
            return Refusal(481)  # the others mean a dialog
        if (refusal := screen_replaces(request, self._stack.participant)) is not None:
            return refusal
        limit = self._config.max_calls
        is_full = limit is not None and len(self._calls) >= limit
        return UNAVAILABLE if self._is_draining or is_full else screen_interval(request)

    def _begin_call(self, key: TransactionKey, request: Request, flow: Flow, admit: Admit) -> None:
        stack = self._stack
        stack.begin_watch(request, flow)
        stack.respond(key, response_to(request, 100))
        try:
            call = ServerCall(
                stack,
                key,
                request,
                flow,
                trunk=admit.trunk,
                user=admit.user,
                credentials=stack.gate.trunk(admit.trunk).credentials,
            )
        except RemoteProtocolError as error:
            stack.refuse(key, request, Refusal(error.sip_status, (), error.reason))
            self.unobserve(request.call_id)
            return
        stack.await_cancel(key, call.participant)
        task = asyncio.get_running_loop().create_task(self._run_call(call))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _run_call(self, call: ServerCall) -> None:
        try:
            await self._on_call(call)
        except Exception:  # border: a call that fails may not take the others with it
            log.exception("call_failed", sip_call_id=call.request.call_id)
        finally:
            if call.is_open:
                call.reject(500)
            elif call.participant.is_established:
                call.participant.hang_up()
            self.unobserve(call.request.call_id)
