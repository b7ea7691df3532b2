"""Runs the tools of a call: within their time, their budget, and only what may be done."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opensip.agent.definition import Agent, ToolTable
from opensip.agent.memory import Call, Memory
from opensip.agent.providers import Looked
from opensip.agent.tools import Tool, function, webhook
from opensip.agent.tools.builtin import BUILT_IN, built_in
from opensip.errors import ToolError

LARGEST_RESULT = 4000  # characters of a result that a model is shown
MOST_REPEATS = 2  # the same tool with the same arguments within one answer

_ASK_FIRST = (
    "Not done yet. Tell the caller exactly what you are about to do, ask for a yes, and call this"
    " tool again with the same arguments once they have said it."
)
_AGAIN = "You have called this with the same arguments already: use what it gave."
_SPENT = "No more tools may be used in this call. Answer without, or hand the caller over."


def load(name: str, table: ToolTable) -> Tool:
    """Make the tool of a table of the agent's file. Raises ConfigError."""
    return webhook.make(name, table) if table.url else function.load(name, table)


def tools_of(agent: Agent) -> list[Tool]:
    """Make every tool of an agent: those of its file, then the built-in. Raises ConfigError."""
    return [*(load(name, table) for name, table in agent.tools.items()), *built_in(agent)]


class Toolbox:
    """The tools of one call, and its account of them in the shared memory."""

    def __init__(
        self,
        agent: Agent,
        memory: Memory,
        variables: Mapping[str, str],
        now: Callable[[], float],
    ) -> None:
        self._tools = {tool.name: tool for tool in tools_of(agent)}
        self._most = agent.tool_calls
        self._memory = memory
        self._variables = variables
        self._now = now

    def usable(self) -> list[Tool]:
        """Tell the tools that may still be used: the built-in ones are never spent."""
        spent = self._memory.tool_calls >= self._most
        return [tool for name, tool in self._tools.items() if not spent or name in BUILT_IN]

    def changes(self, calls: Sequence[Call]) -> bool:
        """Tell whether any of the calls does more than look."""
        tools = (self._tools.get(call.name) for call in calls)
        return any(tool.changes for tool in tools if tool)

    async def run(self, call: Call, *, repeats: int = 0) -> tuple[Looked, str]:
        """Run a tool that was called so often before in this answer; never raises.

        Returns what ran, and what the model is shown of it.
        """
        began = self._now()
        arguments: dict[str, Any] = {}
        try:
            arguments = _arguments(call)
            result = await self._result(call, arguments, repeats)
        except ToolError as error:
            seconds = self._now() - began
            return Looked(call.name, arguments, None, seconds, str(error)), f"Error: {error}"
        seconds = self._now() - began
        return Looked(call.name, arguments, result, seconds), _written(call.name, result)

    async def _result(self, call: Call, arguments: dict[str, Any], repeats: int) -> Any:
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolError(f"no tool {call.name!r}; there are {', '.join(self._tools)}")
        if tool.name not in BUILT_IN:
            if repeats >= MOST_REPEATS:
                return _AGAIN
            if self._memory.tool_calls >= self._most:
                return _SPENT
            if tool.confirm and not self._confirmed(call):
                return _ASK_FIRST
            self._memory.tool_calls += 1
        try:
            async with asyncio.timeout(tool.seconds):
                return _sized(tool.name, await tool.run(arguments, self._variables))
        except TimeoutError as error:
            raise ToolError(f"{tool.name} gave no answer in {tool.seconds:g} s") from error

    def _confirmed(self, call: Call) -> bool:
        """Tell whether the caller has spoken since the same was asked for before."""
        memory = self._memory
        key = (call.name, json.dumps(_arguments(call), sort_keys=True))
        if memory.asked.get(key, memory.turns) < memory.turns:
            del memory.asked[key]
            return True
        memory.asked[key] = memory.turns
        return False


def _arguments(call: Call) -> dict[str, Any]:
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError as error:
        raise ToolError(f"{call.name}: the arguments are no JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise ToolError(f"{call.name}: the arguments are no JSON object")
    return arguments


def _sized(name: str, result: Any) -> Any:
    """Keep of a result that is larger than anybody wants its beginning, as text."""
    text = _written(name, result)
    return result if len(text) <= LARGEST_RESULT else f"{text[:LARGEST_RESULT]} … (cut)"


def _written(name: str, result: Any) -> str:
    try:
        return result if isinstance(result, str) else json.dumps(result, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise ToolError(f"{name} gave what is no JSON: {error}") from error
