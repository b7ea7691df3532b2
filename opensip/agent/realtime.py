"""One caller and services that hear and speak by themselves: models, or bots of one's own.

They are tried in order; where none is left a human takes over, and never is there only silence.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from opensip.agent.caller_voice import CallerVoice
from opensip.agent.conversation import Conversation
from opensip.agent.definition import Agent
from opensip.agent.fillers import Fillers
from opensip.agent.idle import Idle
from opensip.agent.line_up import LineUp
from opensip.agent.listening import cancelled, listen
from opensip.agent.live import Opening, Realtime
from opensip.agent.means import Means
from opensip.agent.memory import Memory
from opensip.agent.minutes import Minutes
from opensip.agent.mouth import Mouth
from opensip.agent.outcome import CallerLeft, Escalate, Hangup, Outcome
from opensip.agent.playout import Playout
from opensip.agent.providers import HangUp, Synthesizer, Transfer, make_stage
from opensip.agent.seat import Seat
from opensip.agent.spoken import fill
from opensip.agent.talk import Ends, Talk
from opensip.agent.toolbox import Toolbox
from opensip.audio.frame import AudioFrame
from opensip.audio.level import pieces
from opensip.errors import MissingExtra, MissingProgram, ProviderError

_GOODBYE = 0.5  # seconds that who is asked once more may take to let the old line go
LONGEST = 1.5  # seconds that a phone may ring longer until the service is there


class RealtimeSession:
    """Talks with one caller. Raises ConfigError where a provider cannot be made."""

    def __init__(
        self, agent: Agent, seat: Seat, *, providers: Sequence[Realtime] | None = None
    ) -> None:
        sink, observer, now = seat.sink, seat.observer, seat.now
        self.agent = agent
        self.press: Callable[[str], None] = lambda digits: None
        self.record: Callable[[bool], None] = lambda on: None
        press = lambda digits: self.press(digits)  # noqa: E731, PLW0108 - both are set later
        record = lambda on: self.record(on)  # noqa: E731, PLW0108
        self._source, self._sink, self._now = seat.source, sink, now
        self._variables, memory = dict(seat.variables), Memory()
        made = providers or make_stage("realtime", agent, self._variables, memory)
        self._line_up = LineUp("realtime", made, observer, now)
        self._standing = _standing(agent)
        self._mouth = Mouth(
            _voices(agent, self._variables, memory), sink, observer, now,
            language=agent.language, standing=self._standing,
        )  # fmt: skip
        fillers = Fillers(
            agent.bridges, agent.bridge_seconds,
            mouth=self._mouth, sink=sink, observer=observer, now=now,
        )  # fmt: skip
        self._means = Means(
            agent, sink, CallerVoice(agent.voice_activity, seat.source.rate, now()),
            Playout(sink), Minutes(observer, now, press, record), memory,
            Toolbox(agent, memory, self._variables, now, asks_itself=True), fillers,
            self._idle(), observer, now,
        )  # fmt: skip
        self._talk: Talk | None = None  # of whom talks, or failed and has yet to be heard out
        self._closing: list[tuple[Realtime, asyncio.Task[None]]] = []  # who failed
        self._opening = Opening()
        self._given_up = 0
        self._target = ""  # whom the caller was handed to last
        self._preparing: asyncio.Task[None] | None = None

    @property
    def conversation(self) -> Conversation:
        """What was said so far."""
        return self._means.minutes.conversation

    async def prepare(self) -> None:
        """Open the line to the first service while the phone rings, LONGEST at most."""
        self._preparing = asyncio.create_task(self._prepare())
        await asyncio.wait({self._preparing}, timeout=LONGEST)

    async def run(self) -> Outcome:
        """Talk until the call is to end, the caller left, or a human is to take over."""
        listening = asyncio.create_task(self._listen(self._now()))
        self._means.idle.heard()
        self._means.voice.settle(self._now())
        talking = asyncio.create_task(self._converse())
        watching = asyncio.create_task(self._means.playout.run())
        tasks: set[asyncio.Task[Any]] = {listening, talking, watching}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            outcome: Outcome = (talking if talking in done else done.pop()).result()
            return outcome
        finally:
            await cancelled(*tasks)
            self._means.fillers.stop()
            if self._talk is not None:
                self._talk.stop()
                self._talk = None
            await self._close_all()

    def digit(self, digit: str) -> None:
        """Take a key that the caller pressed: 0-9, *, #, A-D."""
        if self._talk is not None:
            self._talk.digit(digit)

    def hold(self, on: bool) -> None:
        """Learn that the caller holds us: music on hold comes as silence, which means nothing."""
        self._means.idle.held = on

    async def say(self, text: str) -> str:
        """Say something in our own voice; returns what was heard of it."""
        heard = ""
        with suppress(ProviderError):  # without a voice of our own there is nothing to say
            await self._mouth.say(text)
            heard = await self._mouth.finish()
        self._means.minutes.agent_said(heard, interrupted=False)
        return heard

    def transfer_failed(self, words: str = "") -> None:
        """Let the next `run` begin by telling the service that nobody took the call."""
        template = words or self.agent.reply("transfer_failed")
        self._opening = Opening((), "transfer_failed", self._filled(template, self._target))

    async def close(self) -> None:
        """Let the providers go, once the tools at work are done: they end within their time."""
        await cancelled(self._preparing)
        if self._means.running:
            await asyncio.wait(self._means.running)
        await self._close_all()

    async def _close_all(self) -> None:
        closing, self._closing = self._closing, []
        await asyncio.gather(*(task for _, task in closing))
        for provider in self._line_up.all:
            await provider.close()

    # ---- hearing

    async def _listen(self, since: float) -> Outcome:
        await listen(
            self._source, since=since, now=self._now, deadline=lambda: None,
            heard=self._heard, tick=lambda at: None,
        )  # fmt: skip
        return CallerLeft()

    def _heard(self, frame: AudioFrame) -> None:
        for piece in pieces(frame):
            self._means.voice.hear(piece)
            if self._talk is not None:
                self._talk.hear(piece)

    # ---- talking

    async def _prepare(self) -> None:
        speaking = asyncio.create_task(self._mouth.prepare(self._standing))
        try:
            with suppress(ProviderError):  # it is asked again in the call: then its error counts
                await self._line_up.first.connect()
            await speaking
        finally:
            await cancelled(speaking)

    async def _converse(self) -> Outcome:
        """Let one provider after the other talk; where none is left, a human takes over."""
        why = "no realtime provider is left"
        for provider in self._line_up.tries():
            try:
                last = await self._talked(provider)
            except ProviderError as error:
                self._line_up.failed(provider, error)
                why = str(error)
            else:
                self._line_up.worked(provider)
                if last is not None:
                    return await self._ended(last)
                if provider.ends_call:
                    return Hangup(f"{provider.name} hung up")
                why = ""  # its goodbye hands the caller on
            self._closing.append((provider, asyncio.create_task(provider.close())))
            words = self._opening.words
            self._opening = Opening((), self._opening.cause or "fallback", words)
        return await self._given_up_on(why)

    async def _talked(self, provider: Realtime) -> Ends | None:
        if own := [task for who, task in self._closing if who is provider]:  # it is asked anew
            await asyncio.wait(own, timeout=_GOODBYE)
        await self._heard_out(provider)
        opening, turns = self._opening, tuple(self.conversation.turns)
        talk = self._talk = Talk(provider, self._source.rate, self._means)
        last = await talk.run(Opening(turns, opening.cause, opening.words, self._means.noted()))
        self._talk, self._opening = None, Opening()
        if last is not None and not talk.spoke:
            await self._say_last(last)
        return last

    async def _heard_out(self, following: Realtime | None = None) -> None:
        """Let the caller hear what was queued of who failed, while the next opens its line.

        So the next is told what was heard in fact, and says no word of it again.
        """
        if self._talk is not None:
            if following is not None:
                if following.patience is not None and not self._means.fillers.running:
                    self._means.fillers.start(self._now(), self._now())
                await following.connect()
            await self._talk.rest()
            self._talk = None

    async def _say_last(self, last: Ends) -> None:
        """The service was silent about how it ends the call: say it in its place."""
        if isinstance(last, Transfer):
            await self.say(self._filled(self.agent.reply("escalate"), last.target))
        else:
            await self.say(self._filled(self.agent.reply("goodbye")))

    async def _ended(self, last: Ends) -> Outcome:
        if isinstance(last, HangUp):
            return Hangup(last.why)
        self._target = last.target
        intent, summary = self._means.minutes.handed_over(last)
        return Escalate(last.target, intent, last.confidence, summary, last.why)

    async def _given_up_on(self, why: str) -> Outcome:
        """Hand the caller to the agent's human; where there is none or none came, say sorry."""
        self._given_up += 1
        human = self.agent.human
        alone = human not in self.agent.directory or self._given_up > 1
        self._means.fillers.stop()
        await self._heard_out()
        await self._sink.drained()
        if alone:
            await self.say(f"{self.agent.reply('apology')} {self.agent.reply('call_again')}")
            return Hangup(why or "nobody is left to talk")
        if why:
            await self.say(self.agent.reply("apology"))
        await self.say(self._filled(self.agent.reply("escalate"), human))
        if why:
            return await self._ended(self._means.minutes.failed(human, why))
        return await self._ended(Transfer(human, "", 0.0, "the bot hands over"))

    def _idle(self) -> Idle:
        prompts = self.agent.idle_prompts or (self.agent.reply("still_there"),) * 2
        filled = [self._filled(prompt) for prompt in prompts]
        return Idle(self.agent.idle_seconds, filled, self._filled(self.agent.reply("nobody")))

    def _filled(self, template: str, entry: str = "") -> str:
        values = {**self._variables, "who": self.agent.who(entry)}
        return fill(template, values, self.agent.language)


def _standing(agent: Agent) -> tuple[str, ...]:
    """Tell the words that may be needed when nothing else can speak, and those of waits."""
    return (agent.reply("apology"), agent.reply("call_again"), *agent.bridges)


def _voices(agent: Agent, variables: Mapping[str, str], memory: Memory) -> tuple[Synthesizer, ...]:
    """Make our own voice, which only speaks where the service cannot; without one we are silent."""
    try:
        return make_stage("synthesizer", agent, variables, memory)
    except (MissingExtra, MissingProgram):
        return ()
