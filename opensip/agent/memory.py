"""What a model is shown of a call: the messages so far, as far as the caller heard them.

Messages are those of chat completions: `role` is "user", "assistant" or "tool". All the dialogues
of a call share one memory, so that the next one knows what was said and done.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from opensip.agent.backchannels import words_of
from opensip.agent.plain import writable

Message = dict[str, Any]

MOST_MESSAGES = 120  # before the present answer; a call of half an hour has fewer


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model asks for; `arguments` is the JSON text that it wrote."""

    id: str
    name: str
    arguments: str


Wanted = tuple[str, str]  # a tool, and its arguments as JSON in one order


@dataclass(frozen=True, slots=True)
class Held:
    """A tool's call that waits for the caller's yes.

    `what` is what the caller is told of it, `turn` the caller's turn after which that was asked
    last, `asked` how often; `heard` tells that the caller heard `what` to its end.
    """

    call: Call
    wanted: Wanted
    arguments: Mapping[str, Any]
    what: str
    turn: int
    asked: int = 0
    heard: bool = False


@dataclass(frozen=True, slots=True)
class Spent:
    """What the tools of a call have taken of its limits."""

    calls: int = 0  # that count
    refused: int = 0  # because a limit of the call was reached
    ran: Mapping[Wanted, int] = field(default_factory=Counter)  # how often in the call,
    lately: Mapping[tuple[int, Wanted], int] = field(default_factory=Counter)  # and after a turn


@dataclass(slots=True)
class Memory:
    """One call's messages, and what bounds its tools."""

    messages: list[Message] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # of the present answer, heard or not
    turns: int = 0  # of the caller, so far
    spent: Spent = Spent()
    held: Held | None = None  # waits for a yes
    answered: tuple[Wanted, str] | None = None  # what the caller said to that, until it is used
    transcripts: dict[int, str] = field(default_factory=dict)  # of turns that are told late
    items: dict[str, int] = field(default_factory=dict)  # whose turn a service's item is
    told: Callable[[], None] = lambda: None  # told when the words of a turn have come
    _cause: object = None
    _answer_from: int = 0  # messages before those of the present answer
    _before: tuple[object, tuple[Any, ...]] | None = None  # a supposed turn, and what was then

    def suppose(self, turn: object) -> None:
        """Keep everything as it is, for the case that `turn` turns out not to be over."""
        if self._before is None or self._before[0] is not turn:
            messages = [dict(message) for message in self.messages]
            kept = (messages, list(self.said), self.turns, self.spent, self.held, self.answered)
            self._before = turn, (*kept, self._cause, self._answer_from)

    def unsay(self) -> None:
        """Make everything as it was before the turn that was supposed."""
        if self._before:
            kept = self._before[1]
            self.messages, self.said, self.turns, self.spent, self.held, self.answered = kept[:6]
            self._cause, self._answer_from = kept[6:]
            self._before = None

    def turn_ended(self, item: str = "", text: str | None = None) -> None:
        """Count a turn that a service heard, by its `item`; its words may come later."""
        self.turns += 1
        if item:
            self.items[item] = self.turns
        if text is not None:
            self.transcripts[self.turns] = text

    def turn_told(self, item: str, text: str) -> None:
        """Keep the words of a turn; of one that no item names nobody knows which it was."""
        if item in self.items:
            self.transcripts[self.items[item]] = text
            self.told()

    def begin(self, cause: object, text: str) -> bool:
        """Begin an answer to `cause`, whose words are `text`; they join words still unanswered.

        False: it is the cause of the present answer, which another dialogue takes over. What was
        said of that stays said.
        """
        if cause is self._cause:
            return False
        self._cause, self.said = cause, []
        self.turns += 1
        self._add("user", text)
        self._answer_from = len(self.messages)
        return True

    def agent_said(self, heard: str, *, interrupted: bool = False) -> None:
        """Add what the caller heard of an answer; what nobody heard is no message."""
        if self.held and f" {_line(self.held.what)} " in f" {_line(heard)} ":
            self.held = replace(self.held, heard=True)
        if heard:
            self._add("assistant", f"{heard} …" if interrupted else heard)

    def noted(self, text: str) -> None:
        """Add something that happened, in brackets, where the caller's words stand."""
        self._add("user", f"({text})")

    def shown(self) -> list[Message]:
        """Write the messages for a request, with what was said of the present answer so far."""
        before = self._lately(self.messages[: self._answer_from])
        answer = self.messages[self._answer_from :]
        said = " ".join(self.said)
        if said and answer:  # the words came with the first tools that were asked for
            answer[0] = answer[0] | {"content": said}
        elif said:
            answer = [{"role": "assistant", "content": said}, _GO_ON]
        return before + answer

    @staticmethod
    def _lately(messages: list[Message]) -> list[Message]:
        """Leave out what was long ago, up to a turn of the caller: tools keep their results."""
        turns = [n for n, message in enumerate(messages) if message["role"] == "user"]
        far = [n for n in turns if n >= len(messages) - MOST_MESSAGES]
        return messages[far[0] :] if len(messages) > MOST_MESSAGES and far else messages

    def repeated(self, text: str) -> bool:
        """Tell whether the present answer holds this already, whatever its signs and case."""
        return any(_bare(text) == _bare(one) for one in self.said)

    def tools_ran(
        self, calls: Sequence[Call], results: Sequence[str], *, supposed: bool = False
    ) -> None:
        """Add tools that the model asked for at once, each with its result.

        Those of an answer that is not `supposed` stay, though a turn be unsaid meanwhile.
        """
        asked = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _json(call.arguments)},
            }
            for call in calls
        ]
        ran: list[Message] = [{"role": "assistant", "content": None, "tool_calls": asked}]
        ran += [
            {"role": "tool", "tool_call_id": call.id, "content": result}
            for call, result in zip(calls, results, strict=True)
        ]
        self.messages += ran
        if self._before and not supposed:
            self._before[1][0].extend(dict(message) for message in ran)

    def _add(self, role: str, words: str) -> None:
        text = writable(words)
        last = self.messages[-1] if self.messages else {}
        if last.get("role") == role and last.get("content"):
            last["content"] = f"{last['content']} {text}"
        else:
            self.messages.append({"role": role, "content": text})


_GO_ON: Message = {"role": "user", "content": "(You were cut off. Go on; repeat nothing.)"}


def _line(text: str) -> str:
    return " ".join(words_of(text))


def _bare(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _json(text: str) -> str:
    """Give arguments as servers take them back: those that are no JSON would be refused."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return "{}"
    return text
