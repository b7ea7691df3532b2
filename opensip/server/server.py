"""The composition root: settings become an endpoint, a media engine and the calls that use them."""

import asyncio
import secrets
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import structlog

from opensip.agent.definition import Agent
from opensip.agent.providers.shared import close_shared
from opensip.agent.tools import function
from opensip.call.dialler import Fields
from opensip.call.inbound import InboundCalls
from opensip.call.recovery import recover
from opensip.carriers import Trunk
from opensip.carriers.number import normalise
from opensip.errors import ConfigError
from opensip.server.control import ControlSocket, Status
from opensip.server.identity import IdentityCheck
from opensip.server.lines import TrunkLines
from opensip.server.means import open_exchange
from opensip.server.open_files import raise_limit, shortage
from opensip.settings import build
from opensip.settings.load import Settings, load
from opensip.settings.table import Mistakes
from opensip.sip.grammar import format_host_port
from opensip.sip.uri import Uri
from opensip.ua.admission import Admission
from opensip.ua.endpoint import Endpoint
from opensip.ua.server_call import ServerCall
from opensip.ua.ways import Destination

# What of a server's file is read at its start alone.
_AT_START = ("data", "listeners", "media", "calls", "abuse", "recording", "log")

log = structlog.get_logger(__name__)


class Server:
    """A whole server of one configuration. `run` it once, in a loop of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._secret = secrets.token_bytes(32)
        self._trunks: dict[str, Trunk] = {trunk.name: trunk for trunk in settings.trunks}
        self._agents: dict[str, Agent] = dict(settings.agents)
        function.adopt()
        self._unable = settings.unable
        self.started = asyncio.Event()  # set once every listener is bound
        self._stopping = asyncio.Event()
        self._hurrying = False
        self._files = 0  # that may be open
        self._changed = asyncio.Event()  # a call has ended, or there is no more time
        self._in_progress: dict[ServerCall, float] = {}
        self._exchange = replace(
            open_exchange(settings, self._agents),
            way_out=self._way_out,
        )
        self._calls = InboundCalls(
            self._exchange, self._trunks, max_calls=settings.server.calls.max_calls
        )
        self.endpoint = Endpoint(
            build.endpoint_config(settings.server, settings.trunks),
            admission=self._admission(settings),
            on_call=self._take,
        )
        self._calls.endpoint = self.endpoint  # each journal holds the SIP messages of its call
        self._identity = IdentityCheck(now=self._exchange.now)
        self._calls.verifier = self._identity.verifier(settings.server)
        self._lines = TrunkLines(self.endpoint)
        self._control = ControlSocket(settings.server.data, self.status)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain. Raises ConfigError where it cannot start."""
        self._files = raise_limit()
        async with AsyncExitStack() as opened:
            opened.callback(self._exchange.ports.close)  # after the engine's, who gives them back
            opened.callback(self._exchange.engine.close)
            if self._exchange.recordings is not None:
                opened.callback(self._exchange.recordings.close)
            if self._exchange.packer is not None:
                opened.callback(self._exchange.packer.close)
            opened.push_async_callback(close_shared)
            opened.push_async_callback(self._identity.close)
            await self._control.start()
            opened.push_async_callback(self._control.close)
            recover(self._settings.server.data)  # no other server is on it now
            await self.endpoint.start()
            opened.push_async_callback(self.endpoint.close)
            self._lines.use(self._settings.trunks, self._settings.server)
            opened.push_async_callback(self._lines.close)
            self._take_signals()
            self._tell_started()
            self.started.set()
            await self._stopping.wait()
            await self._drain()
        log.info("server_stopped")

    def _way_out(self, trunk: Trunk, to: Uri) -> tuple[Destination, Fields]:
        return self._lines.way_out(trunk, to)

    def stop(self) -> None:
        """Begin to drain; asked a second time, end the calls that are left at once."""
        self._hurrying = self._stopping.is_set()
        self._stopping.set()
        self._changed.set()

    def reload(self) -> None:
        """Read trunks, agents, certificates and roots again, for new calls and connections.

        A mistake is logged and changes nothing, and so is an agent that can take calls no longer.
        """
        try:
            settings = load(self._settings.file)
            if newly := [why for why in settings.unable if why not in self._unable]:
                raise Mistakes(newly)
            verifier = self._identity.verifier(settings.server)
            self.endpoint.use(build.endpoint_config(settings.server, settings.trunks))
        except ConfigError as error:
            for line in str(error).splitlines():
                log.error("reload_refused", mistake=line)
            return
        function.adopt()
        self._unable = settings.unable
        for kept, new in (
            (self._trunks, {trunk.name: trunk for trunk in settings.trunks}),
            (self._agents, dict(settings.agents)),
        ):
            kept.clear()
            kept.update(new)  # type: ignore[arg-type]  # each with its own kind
        self._calls.verifier = verifier
        self.endpoint.gate.use(self._admission(settings))
        self._lines.use(settings.trunks, settings.server)
        _tell_warnings(settings)
        began = self._settings.server
        later = [key for key in _AT_START if getattr(settings.server, key) != getattr(began, key)]
        if later:
            log.warning("restart_needed", changed=later)
        log.info("server_reloaded", trunks=len(self._trunks), agents=len(self._agents))

    def status(self) -> Status:
        """Tell what the server does now: counts, and a line for each call."""
        now = time.monotonic()
        return {
            "state": "draining" if self.endpoint.is_draining else "serving",
            **self.endpoint.counts(),
            "ports": self._exchange.ports.in_use,
            "tasks": len(asyncio.all_tasks()),
            "turned_away": dict(self.endpoint.gate.counts),
            "banned": {
                source: round(left)
                for source, left in self.endpoint.gate.banned(now=self._exchange.now()).items()
            },
            "trunks": self._lines.status(),
            "calls_in_progress": [
                {"call_id": self._calls.call_id_of(call.request.call_id)}
                | _described(call, now - began)
                for call, began in self._in_progress.items()
            ],
        }

    async def _take(self, call: ServerCall) -> None:
        self._in_progress[call] = time.monotonic()
        try:
            await self._calls.receive(call)
        finally:
            del self._in_progress[call]
            self._changed.set()

    async def _drain(self) -> None:
        """Refuse new calls and let those in progress end, within the deadline."""
        deadline = self._settings.server.calls.drain_seconds
        self.endpoint.drain()
        log.info("server_draining", calls=len(self._in_progress), seconds=deadline)
        try:
            async with asyncio.timeout(deadline):
                while self._in_progress and not self._hurrying:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            log.warning("drain_ended", calls=len(self._in_progress))

    def _admission(self, settings: Settings) -> Admission:
        return Admission(
            [build.admission(trunk) for trunk in settings.trunks],
            realm=settings.server.sip.realm,
            secret=self._secret,  # kept over a reload: nonces stay good
            strangers=settings.server.sip.strangers,
            normalise=normalise,
            nonce_seconds=settings.server.sip.nonce_seconds,
        )

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload)

    def _tell_started(self) -> None:
        _tell_warnings(self._settings)
        log.info(
            "server_started",
            engine=build.engine_in_use(self._settings.server),
            loop=type(asyncio.get_running_loop()).__module__.partition(".")[0],
            listeners=[f"{t} {host}:{port}" for t, host, port in self.endpoint.bound],
            trunks=sorted(self._trunks),
            data=str(self._settings.server.data),
            files=self._files,
        )
        if short := shortage(self._settings.server):
            log.warning("files_short", why=short)


def _tell_warnings(settings: Settings) -> None:
    for why in settings.unable:
        log.error("agent_unable", why=why)
    for warning in settings.warnings:
        log.warning("configuration_warning", warning=warning)


def _described(call: ServerCall, seconds: float) -> dict[str, Any]:
    return {
        "seconds": round(seconds),
        "trunk": call.trunk,
        "caller": call.request.from_.uri.user or "",
        "called": call.request.uri.user or "",
        "source": format_host_port(*call.flow.remote),
        "sip_call_id": call.request.call_id,
    }
