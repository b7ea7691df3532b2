"""Calls that go out: who may be called, as whom, and what came of it in words."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import structlog

from opensip.agent.definition import Agent
from opensip.call.agents import Talker
from opensip.call.attend import attend
from opensip.call.call import Ending
from opensip.call.dialler import Dialler, Fields, credentials_of, replace_user
from opensip.call.emergency import is_emergency
from opensip.call.entry import Entry
from opensip.call.exchange import Exchange
from opensip.carriers import Number, Trunk
from opensip.carriers.number import normalise
from opensip.errors import ConfigError, NotAllowed, OpenSipError, TransportFailed
from opensip.events import CallStarted, Fault
from opensip.media.session import MediaSession
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.call_failed import CallFailed
from opensip.ua.invite_session import InviteSession
from opensip.ua.ways import Destination

log = structlog.get_logger(__name__)

Outcome = Literal[
    "answered", "busy", "no answer", "rejected", "not allowed", "unreachable", "failed"
]

_OUTCOMES: Mapping[int, Outcome] = {
    **dict.fromkeys((486, 600), "busy"),
    **dict.fromkeys((408, 480, 487), "no answer"),
    **dict.fromkeys((603, 607, 608), "rejected"),
    **dict.fromkeys((401, 403, 407), "not allowed"),
    **dict.fromkeys((404, 410, 484, 503, 604), "unreachable"),
}


@dataclass(frozen=True, slots=True)
class Dialled:
    """What came of a call. `why` says more than `outcome`; `call_id` names its record, if any."""

    outcome: Outcome
    why: str
    sip_status: int | None = None
    call_id: str = ""


async def dial(
    exchange: Exchange,
    endpoint: Dialler,
    trunk: Trunk,
    number: str,
    *,
    agent: str,
    caller_id: str = "",
    ring_timeout: float = 60.0,
) -> Dialled:
    """Call `number` by way of `trunk`, let `agent` talk, and see the call through to its end.

    `number` is refused as it stands where it could reach emergency services. `caller_id` must
    be one of the trunk's; its first is the default. Raises ConfigError where the trunk has no
    termination URI or there is no such agent.
    """
    try:
        shown = _check(exchange, trunk, number, agent, caller_id)
    except NotAllowed as error:
        log.warning("dial_refused", trunk=trunk.name, why=str(error))
        return Dialled("not allowed", str(error))
    entry = exchange.open_entry()
    called = normalise(number, trunk.country)
    attempt = _Attempt(exchange, endpoint, trunk, entry, shown=shown, called=called, agent=agent)
    ending = Ending("us", "failed")
    with structlog.contextvars.bound_contextvars(call_id=entry.call_id):
        try:
            ending, dialled = await attempt.run(ring_timeout)
        except asyncio.CancelledError:
            ending = Ending("us", "shut down")
            raise
        except ConfigError:
            raise
        except Exception as error:  # one call: whatever failed in it, others can be made
            log.exception("call_failed")
            entry.note(Fault(exchange.now(), "call", repr(error)))
            dialled = Dialled("failed", repr(error), call_id=entry.call_id)
        finally:
            entry.close(ending)
    return dialled


def outcome_of(status: int) -> Outcome:
    """Say a final status of an INVITE in words."""
    return _OUTCOMES.get(status, "answered" if 200 <= status < 300 else "failed")


def _check(exchange: Exchange, trunk: Trunk, number: str, agent: str, caller_id: str) -> str:
    """Give the caller id to show; raises NotAllowed, or ConfigError."""
    if is_emergency(number, trunk.country):
        raise NotAllowed(f"{number} is an emergency number: dial it on a telephone")
    if not trunk.termination:
        raise ConfigError(f"trunk {trunk.name} has no outbound.termination: it calls nobody")
    if agent not in exchange.agents:
        raise ConfigError(f"no agent {agent!r}: there is {', '.join(sorted(exchange.agents))}")
    if not trunk.caller_ids:
        raise NotAllowed(f"trunk {trunk.name} lists no caller_ids, and no other may be shown")
    shown = normalise(caller_id, trunk.country) if caller_id else trunk.caller_ids[0]
    if shown not in trunk.caller_ids:
        raise NotAllowed(f"{shown} is none of the caller_ids of trunk {trunk.name}")
    return shown


class _Attempt:
    """One INVITE and the call that it may become."""

    def __init__(
        self,
        exchange: Exchange,
        endpoint: Dialler,
        trunk: Trunk,
        entry: Entry,
        *,
        shown: str,
        called: str,
        agent: str,
    ) -> None:
        self._exchange = exchange
        self._endpoint = endpoint
        self._trunk = trunk
        self._entry = entry
        self._shown = shown
        self._called = called
        self._agent = agent
        self._began = exchange.now()

    async def run(self, ring_timeout: float) -> tuple[Ending, Dialled]:
        """Call, and attend to the call where it is answered."""
        to = replace_user(Uri.parse(self._trunk.termination), self._called)
        way = self._exchange.way_out(self._trunk, to)
        try:
            flow = await self._endpoint.flow_to(way[0])
            contact = self._endpoint.contact(flow, secure=to.is_secure)
            host = NameAddr.parse(contact).uri.host
            media = self._exchange.open_media(self._trunk, self._entry, host=host)
        except OpenSipError as error:
            self._note_started("", str(to))
            return self._failed(error, heard=False)
        variables = {"caller": self._shown, "called": self._called}
        variables["call_id"] = self._entry.call_id
        try:
            async with self._exchange.seated(self._agent, media, self._entry, variables) as seated:
                return await self._call(to, way, host, media, seated, ring_timeout=ring_timeout)
        except ConfigError:
            self._note_started("", str(to))
            raise
        finally:
            await media.close()

    async def _call(
        self,
        to: Uri,
        way: tuple[Destination, Fields],
        host: str,
        media: MediaSession,
        seated: tuple[Talker, Agent],
        *,
        ring_timeout: float,
    ) -> tuple[Ending, Dialled]:
        target, route = way
        shown = Uri("sip", self._shown, host=host)
        try:
            call = await self._endpoint.dial(
                to,
                from_=NameAddr(None, shown),
                negotiator=media,
                headers=(("P-Asserted-Identity", f"<{shown}>"), *route),
                credentials=credentials_of(self._trunk, to),
                target=target,
                ring_timeout=ring_timeout,
                observer=self._entry,
                may_follow=lambda uri: not is_emergency(str(uri), self._trunk.country),
            )
        except OpenSipError as error:
            self._note_started("", str(to))
            return self._failed(error, heard=False)
        self._note_started(call.invite.call_id, str(to))
        try:
            session = await call.wait_answered()
        except OpenSipError as error:
            return self._failed(error, heard=call.is_heard)
        finally:
            call.cancel()  # where we are cancelled ourselves; nothing once it is answered
        return await self._attend(session, media, *seated)

    async def _attend(
        self, session: InviteSession, media: MediaSession, agent: Talker, definition: Agent
    ) -> tuple[Ending, Dialled]:
        trunk = self._trunk
        route = Number(self._agent, trunk.recording, trunk.consent)
        ending = await attend(
            *(self._exchange, session, media, agent),
            definition=definition,
            trunk=trunk,
            route=route,
            entry=self._entry,
            endpoint=self._endpoint,
            caller=self._called,
        )
        return ending, Dialled("answered", ending.cause, 200, self._entry.call_id)

    def _failed(self, error: OpenSipError, *, heard: bool) -> tuple[Ending, Dialled]:
        status = error.status if isinstance(error, CallFailed) else error.sip_status
        outcome = outcome_of(status)
        if (status == 408 and not heard) or isinstance(error, TransportFailed):
            outcome = "unreachable"
        told = error.why if isinstance(error, CallFailed) else ""
        why = f"{error}: {told}" if told else str(error)
        log.info("dial_failed", outcome=outcome, sip_status=status, why=why)
        ending = Ending("us" if isinstance(error, TransportFailed) else "callee", outcome, status)
        return ending, Dialled(outcome, why, status, self._entry.call_id)

    def _note_started(self, sip_call_id: str, to: str) -> None:
        self._entry.note(
            CallStarted(
                at=self._began,
                direction="outbound",
                trunk=self._trunk.name,
                agent=self._agent,
                caller=self._shown,
                called=self._called,
                sip_call_id=sip_call_id,
                source=to,
            )
        )
