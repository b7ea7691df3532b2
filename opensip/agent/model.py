"""The dialogue of a language model: streams its words by clause, runs its tools, ends its calls."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime

from opensip.agent.chat import ChatModel, Delta, Used, Words
from opensip.agent.clauses import ClauseCutter
from opensip.agent.consequences import CARRIED_OUT, consequences
from opensip.agent.definition import Agent
from opensip.agent.memory import Call, Message
from opensip.agent.plain import plain
from opensip.agent.prompt import system_prompt, version_of
from opensip.agent.providers import (
    Act,
    Began,
    Brief,
    Expectation,
    HangUp,
    Looked,
    Prompted,
    Say,
    Transfer,
    Understood,
)
from opensip.agent.spoken import apology, fill
from opensip.agent.toolbox import Ran, Toolbox
from opensip.agent.tools import Tool, builtin
from opensip.agent.withheld import Asked, Refused
from opensip.errors import ProviderError

MOST_ROUNDS = 6  # requests for one answer; the last one may use no tools
LONGEST_ANSWER = 1500  # characters: more than a minute and a half of speech is no answer
_GREET = "(The call begins: greet the caller and ask how you can help.)"
_NOISE = "(Something was heard that was no words. Go on where you were interrupted.)"
_SPELLED = re.compile(
    r"(?i)\b(number|digits?|code|spell(ing)?|e-?mail|birth|address)\b[^.!]*[.?]?$"
)
_SPELLED_SILENCE = 0.9  # seconds; people pause between the groups of a number
_MOST_DIGITS = 32  # no number that a caller keys in is longer


@dataclass(slots=True)
class _Answer:
    """What has come of one answer so far."""

    length: int = 0  # characters said
    cutter: ClauseCutter = field(default_factory=ClauseCutter)
    calls: list[Call] = field(default_factory=list)
    committed: asyncio.Event = field(default_factory=asyncio.Event)
    began: bool = False


class ModelDialogue:
    """One call's dialogue with a model. Its memory is shared with the dialogues it may fall to."""

    def __init__(
        self, brief: Brief, chat: ChatModel, *, now: Callable[[], float], today: datetime
    ) -> None:
        self.name = brief.name
        self.health = chat.health
        self._agent: Agent = brief.agent
        self._chat = chat
        self._memory = brief.memory
        self._variables = brief.variables
        self._tools = Toolbox(brief.agent, brief.memory, brief.variables, now)
        self._system: Message = {
            "role": "system",
            "content": system_prompt(brief.agent, brief.variables, now=today),
        }
        self._prompt = version_of(str(self._system["content"]))
        self._idles = 0
        self._failures = 0
        self._digits: int | None = None  # that the caller was asked for; 0: their number is open
        self._cut = False  # the last answer was not heard to its end
        self._running: set[asyncio.Task[list[Ran]]] = set()
        self._late: list[Act] = []
        self._late_told: list[Act] = []  # by the present answer, which may be unsaid
        self._committed = asyncio.Event()  # the turn that is being answered is over
        self._before: tuple[int, int, int | None, bool] | None = None

    # ---- the Dialogue protocol

    def expectation(self) -> Expectation:
        """Anything may be said; numbers and spelled things have longer pauses in them."""
        asked = self._memory.said[-1] if self._memory.said else ""
        if self._digits is not None or _SPELLED.search(asked):
            return Expectation(keys=self._digits or 0, end_silence=_SPELLED_SILENCE)
        return Expectation()

    async def open(self) -> AsyncIterator[Act]:
        """Greet: in the agent's words, or else in the model's."""
        if self._agent.greeting:
            yield Say(self._filled(self._agent.greeting))
            return
        self._committed = asyncio.Event()
        self._committed.set()
        self._memory.begin(self._memory, _GREET)
        async for act in self._reply():
            yield act

    def answer(self, turn: Understood) -> AsyncIterator[Act]:
        """Answer what was said or keyed; nothing understood too often leads to a person."""
        self._committed, self._before = asyncio.Event(), None
        self._committed.set()
        return self._answer(turn)

    def suppose(self, turn: Understood, committed: asyncio.Event) -> AsyncIterator[Act]:
        """Answer a turn that may not be over: tools that only look run, others wait for it."""
        self._memory.suppose(turn)
        self._late_told = []
        self._committed = committed
        self._before = self._idles, self._failures, self._digits, self._cut
        return self._answer(turn)

    def unsay(self) -> None:
        """Forget the turn that was supposed, and its answer."""
        if self._before and not self._committed.is_set():
            self._memory.unsay()
            self._late, self._late_told = self._late_told + self._late, []
            self._idles, self._failures, self._digits, self._cut = self._before
            self._before = None

    async def _answer(self, turn: Understood) -> AsyncIterator[Act]:
        async for late in self._settled():
            yield late
        self._idles, held = 0, self._memory.held
        if not turn.text.strip() and not self._cut and not held:
            for act in self._not_understood():
                yield act
            return
        self._failures, self._digits = 0, None
        self._memory.begin(turn, _words_of(turn) if turn.text.strip() else _NOISE)
        self._cut = False
        for settled in self._tools.consent.answered(turn.text if turn.way == "voice" else ""):
            yield settled
            if isinstance(settled, Asked):
                yield self._said(settled.text)
                return
        async for act in self._reply(held.call if held and self._memory.answered else None):
            yield act

    async def idle(self) -> AsyncIterator[Act]:
        """Ask whether somebody is there, in one way after the other; then say goodbye."""
        prompts = self._agent.idle_prompts or (self._agent.reply("still_there"),) * 2
        self._idles += 1
        if self._idles <= len(prompts):
            yield Say(self._filled(prompts[self._idles - 1]))
            for act in self._question():  # so that no yes is taken for another
                yield act
            return
        yield Say(self._filled(self._agent.reply("nobody")))
        yield HangUp("the caller was silent")

    async def transfer_failed(self, words: str) -> AsyncIterator[Act]:
        """Say that nobody could be reached, and go on."""
        self._memory.held = None
        self._memory.noted("Nobody took the call: the caller is with you again.")
        yield Say(self._filled(words or self._agent.reply("transfer_failed"), self._agent.human))
        yield Say(self._filled(self._agent.reply("resume")))

    def heard(self, text: str, *, interrupted: bool) -> None:
        """Remember what the caller heard, and only that."""
        self._memory.agent_said(text, interrupted=interrupted)
        self._cut = interrupted

    async def prepare(self) -> None:
        """Open the connection ahead of the first request."""
        await self._chat.prepare()

    async def close(self) -> Sequence[Act]:
        """Wait for tools that change something, which end within their time; give their acts."""
        if self._running:
            await asyncio.wait(self._running)
        late, self._late = self._late, []
        return late

    # ---- an answer

    async def _reply(self, settled: Call | None = None) -> AsyncIterator[Act]:
        """Answer, once the tool that the caller was asked about has run, or will not."""
        answer = _Answer(committed=self._committed)
        if settled:
            answer.calls = [replace(settled, id=f"{settled.id}_2")]
            async with aclosing(self._used(answer, ())) as acts:
                async for act in acts:
                    yield act
        for number in range(MOST_ROUNDS):
            tools = self._tools.usable() if number < MOST_ROUNDS - 1 else []
            async with aclosing(self._round(answer, tools)) as acts:
                async for act in acts:
                    yield act
                    if isinstance(act, HangUp | Transfer):
                        return
            if self._memory.held:
                return
            if not answer.calls:
                break
        if not self._memory.said:
            raise ProviderError("the model said nothing", provider=self._chat.name, retryable=True)

    async def _round(self, answer: _Answer, tools: Sequence[Tool]) -> AsyncGenerator[Act]:
        """Ask the model once: its words, then its tools, and what follows from them."""
        answer.calls, answer.cutter = [], ClauseCutter()
        messages = [self._system, *self._memory.shown()]
        async with aclosing(self._chat.stream(messages, tools)) as deltas:
            async for delta in deltas:
                for act in self._taken(answer, delta):
                    yield act
                if answer.length > LONGEST_ANSWER:
                    answer.calls = []
                    return
        last = self._spoken(answer, answer.cutter.flush())
        if not answer.calls:
            for act in last:
                yield act
            return
        async with aclosing(self._used(answer, last)) as acts:
            async for act in acts:
                yield act

    async def _used(self, answer: _Answer, words: Sequence[Act]) -> AsyncGenerator[Act]:
        """Run the tools of a round, say what follows from them, or ask whether they may run."""
        running = self._start(answer)  # begins while the last words are still being spoken
        try:
            for act in words:
                yield act
            ran = await asyncio.shield(running)
        except (asyncio.CancelledError, GeneratorExit):
            self._leave(answer, running)
            raise
        done = [act for acts, _ in ran for act in acts]
        acts = [act for one in done for act in self._consequences(one)]
        ends = [act for act in acts if isinstance(act, HangUp | Transfer)]
        for act in (*done, *(act for act in acts if act not in ends)):
            yield act
        if not self._tools.changes(answer.calls):
            self._remember(answer, answer.calls, ran)  # not before: who is broken off asks anew
        for act in (*ends, *self._question()):
            yield act

    def _taken(self, answer: _Answer, delta: Delta) -> list[Act]:
        match delta:
            case Words(text):
                began: list[Act] = [] if answer.began else [Began()]
                answer.began = True
                return began + self._spoken(answer, answer.cutter.push(text))
            case Call():
                answer.calls.append(delta)
            case Used(model, tokens_in, tokens_out):
                return [Prompted(self._chat.name, model, self._prompt, tokens_in, tokens_out)]
        return []

    def _spoken(self, answer: _Answer, clauses: Sequence[str]) -> list[Act]:
        acts: list[Act] = []
        for text in filter(None, map(plain, clauses)):
            answer.length += len(text)
            if not self._memory.repeated(text):
                self._memory.said.append(text)
                acts.append(Say(text))
        return acts

    # ---- tools

    def _question(self) -> Sequence[Act]:
        """Ask the caller whether a tool that is held back may run."""
        asked = self._tools.consent.question()
        return [asked, self._said(asked.text)] if asked else []

    def _said(self, text: str) -> Say:
        self._memory.said.append(text)
        return Say(text)

    def _start(self, answer: _Answer) -> asyncio.Task[list[Ran]]:
        task = asyncio.create_task(self._run(answer, tuple(answer.calls)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _run(self, answer: _Answer, calls: Sequence[Call]) -> list[Ran]:
        if changes := self._tools.changes(calls):
            await answer.committed.wait()
        ran = await self._tools.run_all(calls)
        if changes:  # what has run has run, whatever becomes of the answer
            self._remember(answer, calls, ran)
        return ran

    def _remember(self, answer: _Answer, calls: Sequence[Call], ran: Sequence[Ran]) -> None:
        supposed = not answer.committed.is_set()
        self._memory.tools_ran(calls, [shown for _, shown in ran], supposed=supposed)

    def _leave(self, answer: _Answer, running: asyncio.Task[list[Ran]]) -> None:
        """The answer was broken off: tools that only look end, others are seen through."""
        if self._tools.changes(answer.calls) and answer.committed.is_set():
            running.add_done_callback(self._keep)
        else:
            running.cancel()

    def _keep(self, task: asyncio.Task[list[Ran]]) -> None:
        if not task.cancelled() and task.exception() is None:
            self._late += [act for acts, _ in task.result() for act in acts]

    async def _settled(self) -> AsyncIterator[Act]:
        """Wait for tools of an answer that was interrupted, and tell what they gave.

        What ends a call is left out: the caller spoke after it was asked for.
        """
        self._late_told = list(await self.close())
        for done in self._late_told:
            yield done
            for act in consequences(done, self._agent):
                if isinstance(act, CARRIED_OUT):
                    yield act

    def _consequences(self, done: Act) -> list[Act]:
        """Tell what a tool leads to, with the words that the model should have said before."""
        acts = consequences(done, self._agent)
        if isinstance(done, Refused) and acts:
            return [Say(apology(self._agent, alone=isinstance(acts[0], HangUp))), *acts]
        if isinstance(done, Looked) and done.name == builtin.COLLECT_DIGITS and not done.error:
            self._digits = min(max(int(done.arguments["count"]), 0), _MOST_DIGITS)
        match acts:
            case [*before, Transfer() | HangUp() as last] if not self._memory.said:
                entry = last.target if isinstance(last, Transfer) else ""
                reply = self._agent.reply("escalate" if entry else "goodbye")
                return [*before, Say(self._filled(reply, entry)), last]
        return acts

    # ---- standing words

    def _not_understood(self) -> list[Act]:
        self._failures += 1
        if self._failures >= self._agent.failures and self._agent.human in self._agent.directory:
            why, self._failures = f"{self._failures} failures in a row", 0
            words = Say(self._filled(self._agent.reply("escalate"), self._agent.human))
            return [words, Transfer(self._agent.human, "", 0.0, why)]
        return [Say(self._filled(self._agent.reply("not_understood")))]

    def _filled(self, template: str, entry: str = "") -> str:
        values = {**self._variables, "who": self._agent.who(entry)}
        return fill(template, values, self._agent.language)


def _words_of(turn: Understood) -> str:
    keys = f"(The caller pressed the keys {' '.join(turn.text)}.)"
    return keys if turn.way == "dtmf" else turn.text
