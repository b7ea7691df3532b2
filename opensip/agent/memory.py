"""What a model is shown of a call: the messages so far, as far as the caller heard them.

Messages are those of chat completions: `role` is "user", "assistant" or "tool". All the dialogues
of a call share one memory, so that the next one knows what was said and done.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]

MOST_MESSAGES = 120  # before the present answer; a call of half an hour has fewer


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model asks for; `arguments` is the JSON text that it wrote."""

    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class Memory:
    """One call's messages, and what bounds its tools."""

    messages: list[Message] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # of the present answer, heard or not
    turns: int = 0  # of the caller, so far
    tool_calls: int = 0  # so far
    asked: dict[tuple[str, str], int] = field(default_factory=dict)  # a yes is awaited since
    _cause: object = None
    _answer_from: int = 0  # messages before those of the present answer
    _before: tuple[object, tuple[Any, ...]] | None = None  # a supposed turn, and what was then

    def suppose(self, turn: object) -> None:
        """Keep everything as it is, for the case that `turn` turns out not to be over."""
        if self._before is None or self._before[0] is not turn:
            messages = [dict(message) for message in self.messages]
            kept = (messages, list(self.said), self.turns, self.tool_calls, dict(self.asked))
            self._before = turn, (*kept, self._cause, self._answer_from)

    def unsay(self) -> None:
        """Make everything as it was before the turn that was supposed."""
        if self._before:
            self.messages, self.said, self.turns, self.tool_calls, self.asked = self._before[1][:5]
            self._cause, self._answer_from = self._before[1][5:]
            self._before = None

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

    def _add(self, role: str, text: str) -> None:
        last = self.messages[-1] if self.messages else {}
        if last.get("role") == role and last.get("content"):
            last["content"] = f"{last['content']} {text}"
        else:
            self.messages.append({"role": role, "content": text})


_GO_ON: Message = {"role": "user", "content": "(You were cut off. Go on; repeat nothing.)"}


def _bare(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _json(text: str) -> str:
    """Give arguments as servers take them back: those that are no JSON would be refused."""
    try:
        json.loads(text)
    except ValueError:
        return "{}"
    return text
