"""A call from its answer to its end: the agent talks, perhaps hands over, and one ending comes."""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from opensip.agent.outcome import CallerLeft, Escalate, Hangup, Outcome
from opensip.call.agents import Talker
from opensip.call.bridge import IN_VAIN, bridge
from opensip.call.directory import target_of
from opensip.call.handoff import Handoff
from opensip.call.hold import play_hold_tone
from opensip.call.leg import Leg
from opensip.call.referral import PassOn
from opensip.call.transfer import CallOut, Transfer, TransferResult, hand_over
from opensip.carriers.trunk import ContextForm
from opensip.errors import NotAllowed, ProviderError
from opensip.events import Escalated, Fault, Observer, TransferEnded, TransferStarted
from opensip.sip.grammar import parse_host_port

log = structlog.get_logger(__name__)

_LAST_WORDS = 30.0  # seconds that what was said last may take to be heard
_FUTILE = 2  # transfers in a row that may fail without a word of the caller between them
_TRANSFER_TOLD = 1.0  # seconds that a transfer has to end once its caller has gone


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended. `side` is "caller", "agent", "target", "us" or "lost"."""

    side: str
    cause: str
    sip_status: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a trunk and an agent allow of a call. `directory` maps entries to URIs or numbers.

    `tells_why` lets the agent say in our words why a transfer failed; without it in its own.
    `refers` lets a human whom we called pass the caller on. The agent talks for `agent_seconds` at
    most, and ends with `farewell`.
    """

    call_id: str
    directory: Mapping[str, str]
    country: str = "US"
    strategies: tuple[str, ...] = ("refer", "bridge")
    profile: ContextForm = "generic"
    refer_to_headers: bool = True
    max_seconds: float = 3600.0
    agent_seconds: float = math.inf
    farewell: str = ""
    tells_why: bool = True
    refers: bool = False


class Call:
    """One answered leg and its agent. `run` once; it raises nothing but cancellation.

    `begin` is done before the agent's own first words. `call_out` reaches targets that the peer
    cannot be referred to.
    """

    def __init__(
        self,
        leg: Leg,
        agent: Talker,
        terms: Terms,
        *,
        observer: Observer,
        now: Callable[[], float],
        begin: Callable[[], Awaitable[None]] | None = None,
        call_out: CallOut | None = None,
    ) -> None:
        self._begin = begin
        self._call_out = call_out
        self._leg = leg
        self._agent = agent
        self._terms = terms
        self._observer = observer
        self._now = now
        self._transferring = False
        self._futile = 0  # transfers that failed since the caller's last turn
        self._turns = 0  # of the caller, when the last one failed

    async def run(self) -> Ending:
        """Let the agent talk until one side has had enough, or the longest call is over."""
        async with asyncio.TaskGroup() as group:
            talking = group.create_task(self._talk())
            leaving = group.create_task(self._leave())
            both = {talking, leaving}
            await asyncio.wait(
                both, timeout=self._terms.max_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if leaving.done() and self._transferring:  # a BYE may be how the transfer succeeds
                await asyncio.wait({talking}, timeout=_TRANSFER_TOLD)
            endings = [task.result() for task in (talking, leaving) if task.done()]
            for task in both:
                task.cancel()
        return endings[0] if endings else Ending("us", "maximum length")

    async def _leave(self) -> Ending:
        ended = await self._leg.wait_ended()
        return Ending(ended.side, ended.cause, ended.sip_status)

    async def _talk(self) -> Ending:
        try:
            return await self._converse()
        # An agent runs its user's tools and providers: whatever they raise ends here, and the
        # caller goes to a human.
        except Exception as error:
            log.exception("agent_failed")
            self._observer.note(Fault(self._now(), "agent", repr(error)))
            return await self._rescue()

    async def _converse(self) -> Ending:
        if self._begin is not None:
            await self._begin()
        until = asyncio.get_running_loop().time() + self._terms.agent_seconds
        while True:
            match await self._run_agent(until):
                case Hangup(why):
                    await self._be_heard()
                    return Ending("agent", why)
                case Escalate() as escalation:
                    result = await self._escalate(escalation)
                    if result.outcome == "transferred":
                        ending = await self._transferred(result, escalation)
                        if ending.cause != IN_VAIN:
                            return ending
                    elif self._is_futile():
                        return await self._rescue(but=escalation.target)
                    self._agent.transfer_failed(result.words if self._terms.tells_why else "")
                case CallerLeft():
                    return await self._leave()

    async def _run_agent(self, until: float) -> Outcome:
        """Let the agent talk, but no longer than until then, in seconds of the loop."""
        limit = asyncio.timeout_at(until if until < math.inf else None)
        try:
            async with limit:
                return await self._agent.run()
        except TimeoutError:
            if not limit.expired():
                raise
        with contextlib.suppress(ProviderError):  # without a voice it ends all the same
            await self._agent.say(self._terms.farewell)
        return Hangup("maximum length")

    async def _escalate(self, escalation: Escalate) -> TransferResult:
        try:
            terms = self._terms
            target = target_of(
                escalation.target, terms.directory, country=terms.country, host=self._leg.host
            )
        except NotAllowed as error:
            log.warning("transfer_refused", why=str(error))
            now = self._now()
            self._observer.note(TransferStarted(now, "policy", escalation.target))
            self._observer.note(TransferEnded(now, "policy", "refused", error.sip_status))
            return TransferResult("refused", error.sip_status)
        await self._be_heard()
        return await self._hand_over(target, escalation)

    async def _hand_over(self, target: str, escalation: Escalate) -> TransferResult:
        transfer = Transfer(
            target=target,
            handoff=self._handoff(escalation),
            profile=self._terms.profile,
            referred_by=self._leg.referred_by,
            budget=self._leg.room,
            refer_to_headers=self._terms.refer_to_headers,
            call_out=self._call_out,
        )
        self._transferring = True
        self._leg.excuse_silence(True)
        tone = asyncio.create_task(play_hold_tone(self._leg.sink))
        try:
            return await hand_over(
                self._leg, transfer, self._terms.strategies, observer=self._observer, now=self._now
            )
        finally:
            self._transferring = False
            self._leg.excuse_silence(False)
            tone.cancel()
            self._leg.sink.flush()

    async def _transferred(self, result: TransferResult, escalation: Escalate) -> Ending:
        """End our part of the call; where we called the target, once one of both has gone.

        IN_VAIN where the target left the caller to somebody who did not answer.
        """
        if result.leg is None:
            return Ending("us", "transferred", result.sip_status)
        ended = await bridge(self._leg, result.leg, self._pass_on(result.leg, escalation))
        return Ending(ended.side, ended.cause, ended.sip_status)

    def _pass_on(self, target: Leg, escalation: Escalate) -> PassOn | None:
        """Let the human pass the caller on, to telephones at its own host and the carrier's."""
        if not self._terms.refers or self._call_out is None:
            return None
        hosts = {parse_host_port(leg.host, "Contact")[0].lower() for leg in (self._leg, target)}
        return PassOn(
            self._call_out,
            hosts=frozenset(hosts),
            ours=target.our_hosts,
            carrier=self._leg.host,
            country=self._terms.country,
            context=self._handoff(escalation).headers(self._terms.profile),
        )

    def _handoff(self, escalation: Escalate) -> Handoff:
        conversation = self._agent.conversation
        return Handoff(
            call_id=self._terms.call_id,
            intent=escalation.intent,
            confidence=escalation.confidence,
            summary=escalation.summary,
            transcript=conversation.transcript().splitlines(),
            fields=conversation.fields,
        )

    def _is_futile(self) -> bool:
        """Count transfers that failed, and tell when it is no caller who asks for another.

        An agent without a voice or an ear asks for a human whenever it runs, for ever.
        """
        turns = sum(turn.speaker == "caller" for turn in self._agent.conversation.turns)
        self._futile = 1 if turns > self._turns else self._futile + 1
        self._turns = turns
        return self._futile >= _FUTILE

    async def _rescue(self, but: str = "") -> Ending:
        """The agent is lost: pass the caller to the first entry of the directory, but for one."""
        for name in (entry for entry in self._terms.directory if entry != but):
            lost = Escalate(name, "", 0.0, "The agent failed, not the caller.", "the agent failed")
            self._observer.note(Escalated(self._now(), name, "", 0.0, lost.why))
            result = await self._escalate(lost)
            if result.outcome != "transferred":
                break
            ending = await self._transferred(result, lost)
            if ending.cause != IN_VAIN:
                return ending
        return Ending("us", "agent failed")

    async def _be_heard(self) -> None:
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self._leg.sink.drained()
        except TimeoutError:
            log.warning("last_words_unheard")
