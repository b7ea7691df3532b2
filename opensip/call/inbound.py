"""Calls that come in: from trunk to number to agent, each with a beginning and one end."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Protocol

import structlog

from opensip.call.attend import attend
from opensip.call.call import Ending
from opensip.call.dialler import Dialler
from opensip.call.emergency import is_emergency
from opensip.call.entry import Entry
from opensip.call.exchange import Exchange
from opensip.call.screening import is_due, is_refused, screen, variables_of
from opensip.carriers import Number, Trunk
from opensip.carriers.number import describe, normalise
from opensip.errors import OpenSipError, TransactionTimeout
from opensip.events import CallStarted, Fault, HeaderContext, Observer
from opensip.sip.grammar import format_host_port
from opensip.sip.uri import NameAddr
from opensip.ua.attestation import attestation
from opensip.ua.call_failed import CallFailed
from opensip.ua.identity import caller, context
from opensip.ua.server_call import ServerCall
from opensip.ua.verification import Verifier, reasons

log = structlog.get_logger(__name__)

WITHHELD = "anonymous"  # in place of the number of a caller who asked for privacy


class Switchboard(Dialler, Protocol):
    """What calls need of the endpoint: to call others, and to be seen at work."""

    def observe(self, call_id: str, observer: Observer) -> None:
        """Let `observer` see the messages with this Call-ID."""


class InboundCalls:
    """Takes every admitted INVITE. `max_calls` bounds all trunks together; 0: no limit.

    Set `endpoint` to have the SIP messages of each call in its journal, and targets of transfers
    called; `verifier` to have the signatures of callers' numbers checked.
    """

    def __init__(
        self, exchange: Exchange, trunks: Mapping[str, Trunk], *, max_calls: int = 0
    ) -> None:
        self.endpoint: Switchboard | None = None
        self.verifier: Verifier | None = None
        self._exchange = exchange
        self._trunks = trunks
        self._max_calls = max_calls
        self._active: Counter[str] = Counter()
        self._call_ids: dict[str, str] = {}  # SIP's -> ours

    @property
    def active(self) -> int:
        """How many calls are in progress."""
        return self._active.total()

    def call_id_of(self, sip_call_id: str) -> str:
        """Tell our own id of a call in progress, as records and `opensip trace` have it."""
        return self._call_ids.get(sip_call_id, "")

    async def receive(self, call: ServerCall) -> None:
        """See one call through: answer or refuse it, and write its record."""
        trunk = self._trunks[call.trunk]
        entry = self._exchange.open_entry()
        if self.endpoint is not None:
            self.endpoint.observe(call.request.call_id, entry)
        with structlog.contextvars.bound_contextvars(call_id=entry.call_id):
            self._active[trunk.name] += 1
            self._call_ids[call.request.call_id] = entry.call_id
            ending = Ending("us", "failed", 500)
            try:
                ending = await self._serve(call, trunk, entry)
            except asyncio.CancelledError:
                ending = Ending("us", "shut down")
                raise
            except OpenSipError as error:
                call.reject_error(error)
                log.warning("call_refused", sip_status=error.sip_status, why=str(error))
                ending = _ending_of(error)
            except Exception as error:  # one call: whatever failed in it, the others go on
                log.exception("call_failed")
                entry.note(Fault(self._exchange.now(), "call", repr(error)))
                call.reject(500)
            finally:
                self._active[trunk.name] -= 1
                self._call_ids.pop(call.request.call_id, None)
                entry.close(ending)

    async def _serve(self, call: ServerCall, trunk: Trunk, entry: Entry) -> Ending:
        raw = str(call.request.uri)
        number = normalise(raw, trunk.country)
        route = trunk.route(number)
        variables = self._introduce(call, trunk, number, route, entry)
        if is_emergency(raw, trunk.country):
            return self._turn_away_emergency(call, trunk)
        if route is None:
            log.warning("number_unknown", trunk=trunk.name, number=number)
            call.reject(404)
            return Ending("us", "unknown number", 404)
        if self._is_full(trunk):
            call.reject(503, headers=(("Retry-After", "10"),))
            return Ending("us", "too many calls", 503)
        call.provisional(180)  # an agent may take seconds to sit down: the caller hears ringing
        if is_due(call.request, trunk):
            verdict = await screen(
                call.request, trunk, self.verifier, entry, now=self._exchange.now
            )
            if is_refused(verdict, trunk):
                call.reject(verdict.status, verdict.reason, reasons(verdict))
                return Ending("us", f"identity: {verdict.why}", verdict.status)
            variables |= variables_of(verdict, variables)
        return await self._answer(call, trunk, route, entry, variables)

    def _introduce(
        self, call: ServerCall, trunk: Trunk, number: str, route: Number | None, entry: Entry
    ) -> dict[str, str]:
        """Note who calls whom, and give the variables that the agent starts with."""
        now, who = self._exchange.now(), caller(call.request, trunk.trusted)
        source = format_host_port(*call.flow.remote)
        # RFC 3323: who asked not to be shown stands nowhere that others read.
        calling = WITHHELD if who.privacy else normalise(who.number, trunk.country)
        agent, plan = route.agent if route else "", dict(describe(calling))
        entry.note(
            CallStarted(
                *(now, "inbound", trunk.name, agent, calling, number, call.request.call_id, source),
                number=plan,
            )
        )
        log.info("call_received", trunk=trunk.name, called=number, agent=agent, source=source)
        told = self._told(call, trunk)
        if told:
            entry.note(HeaderContext(now, told))
        told |= {name: _written(value) for name, value in plan.items()}
        return told | {"caller": calling, "called": number, "call_id": entry.call_id}

    def _told(self, call: ServerCall, trunk: Trunk) -> dict[str, str]:
        """Give what the trunk says beside the numbers, if it is believed."""
        if not trunk.trusted:
            return {}
        return attestation(call.request) | context(call.request, trunk.headers)

    def _turn_away_emergency(self, call: ServerCall, trunk: Trunk) -> Ending:
        """Never let an agent answer for emergency services."""
        if trunk.emergency_redirect:
            call.reject(302, headers=(("Contact", f"<{trunk.emergency_redirect}>"),))
            return Ending("us", "emergency number redirected", 302)
        call.reject(404)
        return Ending("us", "emergency number", 404)

    def _is_full(self, trunk: Trunk) -> bool:
        """Tell whether this call, which counts already, is one too many."""
        return 0 < trunk.max_calls < self._active[trunk.name] or 0 < self._max_calls < self.active

    async def _answer(
        self,
        call: ServerCall,
        trunk: Trunk,
        route: Number,
        entry: Entry,
        variables: Mapping[str, str],
    ) -> Ending:
        contact = NameAddr.parse(call.participant.dialog.contact)
        media = self._exchange.open_media(trunk, entry, host=contact.uri.host)
        try:
            # Seated first: where no agent can be had, the carrier may still try another route.
            seat = self._exchange.seated(route.agent, media, entry, variables)
            async with seat as (agent, definition):
                session = await call.answer(media)
                return await attend(
                    *(self._exchange, session, media, agent),
                    definition=definition,
                    trunk=trunk,
                    route=route,
                    entry=entry,
                    endpoint=self.endpoint,
                    caller="" if variables["caller"] == WITHHELD else variables["caller"],
                )
        finally:
            await media.close()


def _written(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _ending_of(error: OpenSipError) -> Ending:
    match error:
        case CallFailed(status=487):
            return Ending("caller", "cancelled", 487)
        case TransactionTimeout():
            return Ending("lost", str(error), None)
    return Ending("us", str(error), error.sip_status)
