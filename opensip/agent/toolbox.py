"""Runs the tools of a call: within their time, their limits, and only what may be done."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from opensip.agent.consent import Consent
from opensip.agent.definition import Agent, ToolTable
from opensip.agent.limits import LEAVING, counted, exceeded, is_again
from opensip.agent.memory import Call, Memory, Wanted
from opensip.agent.plain import writable
from opensip.agent.providers import Act, Looked
from opensip.agent.tools import Tool, function, webhook
from opensip.agent.tools.builtin import BUILT_IN, built_in
from opensip.agent.withheld import Refused
from opensip.errors import ToolError

log = structlog.get_logger(__name__)

LARGEST_RESULT = 4000  # characters of a result that a model is shown
DEEPEST = 100  # values in values: journal and services must be able to write what we could read
Ran = tuple[tuple[Act, ...], str]  # what is to be noted, and what the model is shown

_LEAVING = "not now: the caller is being asked whether a tool may run; do this after the answer"
_AGAIN = "You have called this with the same arguments already: use what it gave."
_SPENT = "{why}. Do not ask for it again: answer without it, or hand the caller over."
_ASKS = (
    " The caller is told what this does, with its arguments, and must say yes before it runs:"
    " do not ask yourself, and do not say that it is done before it is."
)


def load(name: str, table: ToolTable, *, anew: bool = False) -> Tool:
    """Make the tool of a table; `anew`: of its file as it is now. Raises ConfigError."""
    return webhook.make(name, table) if table.url else function.load(name, table, anew=anew)


def tools_of(agent: Agent) -> list[Tool]:
    """Make every tool of an agent: those of its file, then the built-in. Raises ConfigError."""
    return [*(load(name, table) for name, table in agent.tools.items()), *built_in(agent)]


class Toolbox:
    """The tools of one call, and its account of them in the shared memory.

    `asks_itself`: the model hears and speaks at once, so it is told what to ask the caller.
    """

    def __init__(
        self,
        agent: Agent,
        memory: Memory,
        variables: Mapping[str, str],
        now: Callable[[], float],
        *,
        asks_itself: bool = False,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools_of(agent)}
        self._agent = agent
        self._memory = memory
        self._variables = variables
        self._now = now
        self._asks_itself = asks_itself
        self.consent = Consent(agent, memory)

    def usable(self) -> list[Tool]:
        """Tell the tools that may still be used: the built-in ones are never spent."""
        spent = self._memory.spent.calls >= self._agent.tool_calls
        return [
            replace(tool, description=tool.description + _ASKS) if tool.confirm else tool
            for name, tool in self._tools.items()
            if not spent or name in BUILT_IN
        ]

    def changes(self, calls: Sequence[Call]) -> bool:
        """Tell whether any of the calls does more than look."""
        tools = (self._tools.get(call.name) for call in calls)
        return any(tool.changes for tool in tools if tool)

    async def run_all(self, calls: Sequence[Call]) -> list[Ran]:
        """Run tools that were called at once: first those that may have to wait for a yes."""
        ran: dict[int, Ran] = {}
        for waits in (True, False):
            chosen = [n for n, call in enumerate(calls) if self._confirms(call) is waits]
            results = await asyncio.gather(*(self.run(calls[n]) for n in chosen))
            ran |= zip(chosen, results, strict=True)
        return [ran[n] for n in range(len(calls))]

    async def run(self, call: Call) -> Ran:
        """Run a tool, hold it back or refuse it; never raises."""
        began = self._now()
        arguments: dict[str, Any] = {}
        acts: tuple[Act, ...] = ()
        try:
            arguments, written = _arguments(call)
            tool = self._tool(call.name)
            wanted = call.name, written
            if why := exceeded(self._agent, self._memory.spent, wanted):
                return (self._refused(call.name, arguments, why),), _SPENT.format(why=why)
            if tool.confirm:
                acts, shown = await self._held(call, tool, wanted, arguments)
                if shown is not None:
                    return acts, shown
            result, shown = await self._result(tool, wanted, arguments)
        except Exception as error:  # foreign: a model's arguments, a tool's code and its result
            why = str(_told(call.name, error))
            looked = Looked(call.name, arguments, None, self._now() - began, why)
            return (*acts, looked), f"Error: {why}"
        looked = Looked(call.name, arguments, result, self._now() - began)
        return (*acts, looked), shown

    def _tool(self, name: str) -> Tool:
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(f"no tool {name!r}; there are {', '.join(self._tools)}")
        if name in LEAVING and self._consent_first:
            raise ToolError(f"{name}: {_LEAVING}")
        return tool

    @property
    def _consent_first(self) -> bool:
        return not self._asks_itself and self.consent.is_asking

    def _confirms(self, call: Call) -> bool:
        tool = self._tools.get(call.name)
        return tool is not None and tool.confirm

    def _refused(self, name: str, arguments: dict[str, Any], why: str) -> Refused:
        """Refuse a tool; the model is told, and left where it goes on."""
        spent = self._memory.spent
        self._memory.spent = replace(spent, refused=spent.refused + 1)
        return Refused(name, arguments, why, spent.refused + 1)

    async def _held(
        self, call: Call, tool: Tool, wanted: Wanted, arguments: dict[str, Any]
    ) -> tuple[tuple[Act, ...], str | None]:
        if self._asks_itself:
            return await self.consent.hold_live(call, tool, wanted, arguments)
        return self.consent.hold(call, tool, wanted, arguments)

    async def _result(
        self, tool: Tool, wanted: Wanted, arguments: dict[str, Any]
    ) -> tuple[Any, str]:
        """Give what came of a tool, as data and as the model is shown it."""
        memory = self._memory
        if is_again(memory.spent, wanted, memory.turns):
            return _AGAIN, _AGAIN
        memory.spent = counted(memory.spent, wanted, memory.turns)
        try:
            async with asyncio.timeout(tool.seconds):
                return _sized(tool.name, await tool.run(arguments, self._variables))
        except TimeoutError as error:
            raise ToolError(f"{tool.name} gave no answer in {tool.seconds:g} s") from error


def _told(name: str, error: Exception) -> ToolError:
    """Give what a model is told of an error; what is none of ours may not even have a text."""
    if isinstance(error, ToolError):
        return error
    kind = type(error).__name__
    log.warning("tool_failed", tool=name, error=kind)  # its text may hold what the caller said
    return ToolError(f"{name}: failed with {kind}")


def _arguments(call: Call) -> tuple[dict[str, Any], str]:
    """Read the arguments of a call, and write them so that the same are equal."""
    try:
        arguments = json.loads(call.arguments or "{}")
        written = json.dumps(arguments, sort_keys=True)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{call.name}: the arguments are no JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise ToolError(f"{call.name}: the arguments are no JSON object")
    if _is_deep(arguments):
        raise ToolError(f"{call.name}: the arguments are nested more than {DEEPEST} times")
    return arguments, written


def _sized(name: str, result: Any) -> tuple[Any, str]:
    """Make plain data of a result, whatever it was, and its text; of a large one the text alone."""
    text = _written(name, result)
    if len(text) > LARGEST_RESULT:
        text = f"{text[:LARGEST_RESULT]} … (cut)"
    elif not isinstance(result, str) and not _is_deep(data := json.loads(text)):
        return data, text
    return text, text


def _is_deep(value: Any) -> bool:
    """Tell whether lists and objects stand in each other more than DEEPEST times."""
    level = [value]
    for _ in range(DEEPEST + 1):
        inner = [one.values() if isinstance(one, dict) else one for one in level if _holds(one)]
        level = [one for values in inner for one in values]
    return bool(level)


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)


def _written(name: str, result: Any) -> str:
    try:
        return writable(result if isinstance(result, str) else json.dumps(result, default=str))
    except (TypeError, ValueError, RecursionError) as error:
        raise ToolError(f"{name} gave what is no JSON: {error}") from error
