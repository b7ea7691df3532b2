"""Holds back the tools of a call that need a yes of the caller, until the caller has said it.

The question is ours, not the model's: what is to be done, with its arguments. So is the answer's
reading (agent/yes_no.py). A yes is good for one run, with these arguments.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from opensip.agent.definition import Agent
from opensip.agent.memory import Call, Held, Memory, Wanted
from opensip.agent.read_back import read_back
from opensip.agent.spoken import aloud, fill
from opensip.agent.tools import Tool, fitting
from opensip.agent.withheld import Asked, Settled, Withheld
from opensip.agent.yes_no import judge, words_for

MOST_ASKED = 2  # times that the same is asked: who is unclear twice does not want it
_TRANSCRIPT = 2.0  # seconds that the words of a turn may take, of a service that tells them late

_HELD = "Not done yet: the caller is being asked. Say nothing; you are told the answer."
_ONE = "Not done: the caller is being asked about another tool. Call this again afterwards."
_SAY = (
    "Not done yet: the caller must agree. Ask with exactly these words: {question}"
    " Once they have answered, call this tool again with the same arguments."
)
_OUTCOMES = {"yes": "confirmed", "no": "declined", "unclear": "unclear", "other": "passed_over"}
_NOTHING = {
    "declined": "The caller said no: nothing was done.",
    "passed_over": (
        "The caller did not agree, but said something else: nothing was done. Answer that; call"
        " this tool again only if they still want it."
    ),
    "unclear": "The caller's answer was unclear twice: nothing was done.",
}

Kept = tuple[tuple[Withheld, ...], str | None]  # what is to be noted; None: it may run


class Consent:
    """Of one call; what waits stands in the memory that all its dialogues share."""

    def __init__(self, agent: Agent, memory: Memory) -> None:
        self._agent = agent
        self._memory = memory
        known = words_for(agent.language, agent.yes_words, agent.no_words) or words_for("en")
        assert known  # noqa: S101 - English is known
        self._words = known

    @property
    def is_asking(self) -> bool:
        """Whether a tool is held back since the caller's last turn."""
        held = self._memory.held
        return held is not None and held.turn == self._memory.turns

    # ---- where we ask

    def hold(self, call: Call, tool: Tool, wanted: Wanted, arguments: Mapping[str, Any]) -> Kept:
        """Hold a call back, or let it run after a yes. Raises ToolError."""
        memory = self._memory
        if memory.answered and memory.answered[0] == wanted:
            (_, outcome), memory.answered = memory.answered, None
            settled = Settled(tool.name, _fitted(tool, arguments), outcome)
            return (settled,), _NOTHING.get(outcome)
        if memory.held is None or memory.held.wanted == wanted:
            memory.held = self._of(call, tool, wanted, arguments)
            return (), _HELD
        return (), _ONE

    def question(self) -> Asked | None:
        """Give what the caller is to be asked now; asked of one that was asked already, again."""
        held = self._memory.held
        if held is None:
            return None
        again = held.asked > 0
        turn = self._memory.turns
        self._memory.held = replace(held, asked=held.asked + 1, turn=turn, heard=False)
        return Asked(held.call.name, held.arguments, self._words_of(held, again=again), again)

    def answered(self, text: str) -> tuple[Withheld, ...]:
        """Take the caller's next words for the answer to the question, if one was heard.

        Gives what came of it: Asked where it is to be asked once more; else `answer_to` tells
        the call that now runs, or gives its model the news.
        """
        memory, held = self._memory, self._memory.held
        memory.answered = None  # a yes that was of no use is good for nothing later
        if held is None:
            return ()
        if not held.heard:
            memory.held = None
            return (Settled(held.call.name, held.arguments, "unheard"),)
        outcome = self._outcome(held, text)
        if outcome == "unclear" and held.asked < MOST_ASKED:
            asked = self.question()
            return (asked,) if asked else ()
        memory.held, memory.answered = None, (held.wanted, outcome)
        return ()

    # ---- where the model asks

    async def hold_live(
        self, call: Call, tool: Tool, wanted: Wanted, arguments: Mapping[str, Any]
    ) -> Kept:
        """Tell a model that speaks itself what to ask; read the answer when it calls again."""
        memory, held = self._memory, self._memory.held
        if held is None or held.wanted != wanted:
            memory.held = replace(self._of(call, tool, wanted, arguments), asked=1, heard=True)
            replaced = (Settled(held.call.name, held.arguments, "replaced"),) if held else ()
            return self._told(memory.held, replaced)
        if memory.turns == held.turn:
            return (), _SAY.format(question=self._words_of(held, again=False))
        outcome = self._outcome(held, await self._transcript(held.turn))
        if outcome == "unclear" and held.asked < MOST_ASKED:
            memory.held = replace(held, asked=held.asked + 1, turn=memory.turns)
            return self._told(memory.held, ())
        memory.held = None
        return (Settled(tool.name, held.arguments, outcome),), _NOTHING.get(outcome)

    def _told(self, held: Held, before: tuple[Withheld, ...]) -> Kept:
        again = held.asked > 1
        text = self._words_of(held, again=again)
        asked = Asked(held.call.name, held.arguments, text, again)
        return (*before, asked), _SAY.format(question=text)

    async def _transcript(self, since: int) -> str:
        """Give the words of the caller's turns after `since`; "" where the last do not come."""
        memory = self._memory
        with suppress(TimeoutError):
            async with asyncio.timeout(_TRANSCRIPT):
                while memory.turns not in memory.transcripts:
                    told = asyncio.Event()
                    memory.told = told.set
                    await told.wait()
        if memory.turns not in memory.transcripts:
            return ""
        return " ".join(words for turn, words in memory.transcripts.items() if turn > since)

    # ---- the question, and what was said to it

    def _of(self, call: Call, tool: Tool, wanted: Wanted, arguments: Mapping[str, Any]) -> Held:
        fitted = _fitted(tool, arguments)
        language = self._agent.language
        what = aloud(read_back(tool.name, fitted, tool.confirm_text, language), language)
        return Held(call, wanted, fitted, what, self._memory.turns)

    def _words_of(self, held: Held, *, again: bool) -> str:
        template = self._agent.reply("confirm_again" if again else "confirm")
        return fill(template, {"what": held.what}, self._agent.language)

    def _outcome(self, held: Held, text: str) -> str:
        values = " ".join(map(str, held.arguments.values()))
        return _OUTCOMES[judge(text, self._words, f"{held.what} {values}")]


def _fitted(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Check arguments, and give them in the order in which the tool has them. ToolError."""
    given = fitting(tool.name, arguments, tool.parameters)
    return {name: given[name] for name in tool.parameters["properties"] if name in given}
