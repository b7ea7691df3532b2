"""A talk with an agent by text: its dialogue, tools and fail-over, without ears and voice."""

import asyncio
import re
from collections.abc import Callable, Mapping

from opensip.agent.definition import Agent
from opensip.agent.mind import Ask, Mind
from opensip.agent.providers import (
    Act,
    HangUp,
    Looked,
    Meant,
    Noted,
    Press,
    Prompted,
    Record,
    Say,
    Transfer,
    Understood,
    make_dialogues,
)
from opensip.agent.spoken import apology
from opensip.agent.withheld import Refused, Settled
from opensip.errors import ProviderError
from opensip.events import CallEvent, ProviderFailed

_KEYS = re.compile(r"[0-9*#A-D]+")

Tell = Callable[[str, str], None]  # who or what ("agent", "tool", "failed", …), and what of it


class TextChat:
    """One talk. `tell` is given what the agent says and does, as it comes.

    `failed` tells why it ended before its time: no provider had an answer.
    """

    def __init__(self, agent: Agent, variables: Mapping[str, str], tell: Tell) -> None:
        self.failed = ""
        self._tell = tell
        now = asyncio.get_running_loop().time
        self._mind = Mind(make_dialogues(agent, variables), self, now)
        self._agent = agent
        self._prompted: Prompted | None = None  # is yet to be shown

    def note(self, event: CallEvent) -> None:
        """Tell of providers that failed."""
        if isinstance(event, ProviderFailed):
            self._show_model()
            self._tell("failed", event.error)

    async def open(self) -> bool:
        """Let the agent begin; tells whether the talk goes on."""
        return await self._acts(lambda dialogue: dialogue.open())

    async def say(self, text: str) -> bool:
        """Say something to the agent; "keys:123" presses keys. Tells whether the talk goes on."""
        keys = text.removeprefix("keys:")
        if keys != text and not _KEYS.fullmatch(keys):
            self._tell("no keys", f"{keys!r}: a telephone has 0-9, *, # and A-D")
            return True
        number = keys.removesuffix("#") or keys  # as in a call, where # ends a number
        turn = Understood(text) if keys == text else Understood(number, 1.0, "dtmf")
        return await self._acts(lambda dialogue: dialogue.answer(turn))

    async def close(self) -> None:
        """End what still runs."""
        await self._mind.close()

    async def _acts(self, ask: Ask) -> bool:
        said: list[str] = []
        goes_on = True
        try:
            async for act in self._mind.acts(ask):
                self._take(act)
                if isinstance(act, Say):
                    said.append(act.text)
                goes_on = goes_on and not isinstance(act, HangUp | Transfer)
        except ProviderError as error:
            self.failed = str(error)
            self._show_model()
            alone = self._agent.human not in self._agent.directory
            self._tell("agent", apology(self._agent, alone=alone))
            self._show(
                HangUp(str(error)) if alone else Transfer(self._agent.human, "", 0.0, str(error))
            )
            goes_on = False
        self._show_model()
        self._mind.heard(" ".join(said), interrupted=False)
        return goes_on

    def _take(self, act: Act) -> None:
        """Show a model after all of its words, some of which come later, before its tools."""
        if not isinstance(act, Say):
            self._show_model()
        if isinstance(act, Prompted):
            self._prompted = act
        else:
            self._show(act)

    def _show_model(self) -> None:
        used, self._prompted = self._prompted, None
        if used:
            tokens = (
                f", {used.tokens_in} tokens in, {used.tokens_out} out" if used.tokens_in else ""
            )
            self._tell("model", f"{used.model} of {used.provider}{tokens}")

    def _show(self, act: Act) -> None:
        match act:
            case Say(text):
                self._tell("agent", text)
            case Meant(intent, _, _, slots):
                self._tell("understood", f"{intent} {dict(slots) or ''}".strip())
            case Noted(outcome, details):
                self._tell("noted", f"{outcome}: {details}".rstrip(": "))
            case Press(digits):
                self._tell("presses", digits)
            case Record(on):
                self._tell("records", "again" if on else "nothing for now")
            case HangUp(why):
                self._tell("hangs up", why)
            case Transfer(target, intent, _, why, summary):
                parts = (part for part in (target, intent, summary or why) if part)
                self._tell("transfers", "; ".join(parts))
            case _:
                self._show_tool(act)

    def _show_tool(self, act: Act) -> None:
        match act:
            case Looked():
                self._tell("tool", _looked(act))
            case Settled(name, _, outcome):
                self._tell("asked", f"{name}: {outcome.replace('_', ' ')}")
            case Refused(_, _, why):
                self._tell("refused", why)


def _looked(looked: Looked) -> str:
    given = ", ".join(f"{name}={value!r}" for name, value in looked.arguments.items())
    result = f"failed: {looked.error}" if looked.error else repr(looked.result)
    return f"{looked.name}({given}) in {looked.seconds * 1000:.0f} ms: {result}"
