"""The tools of every model agent: to hand over, hang up, note, take digits, look up, press keys."""

import re
from collections.abc import Mapping
from typing import Any

from opensip.agent.definition import Agent
from opensip.agent.tools import Arguments, Tool, fitting, schema
from opensip.agent.tools.table import look_up
from opensip.errors import ToolError

TRANSFER, HANG_UP, NOTE_OUTCOME, LOOK_UP = "transfer", "hang_up", "note_outcome", "look_up"
PRESS_KEYS = "press_keys"
COLLECT_DIGITS = "collect_digits"
PAUSE_RECORDING, RESUME_RECORDING = "pause_recording", "resume_recording"
BUILT_IN = (
    *(TRANSFER, HANG_UP, NOTE_OUTCOME, COLLECT_DIGITS, LOOK_UP, PRESS_KEYS),
    *(PAUSE_RECORDING, RESUME_RECORDING),
)
MOST_KEYS = 32  # at once: a card's number and more


def built_in(agent: Agent) -> list[Tool]:
    """Make those that suit the agent: a transfer needs a directory, a look-up tables of data."""
    tools = [_hang_up(), _note_outcome(agent), _collect_digits()]
    if agent.directory:
        tools.insert(0, _transfer(agent))
    if agent.data:
        tools.append(_look_up(agent))
    if agent.press_keys:
        tools.append(_press_keys())
    if agent.pause_recording:
        tools += [_pause_recording(), _resume_recording()]
    return tools


def _transfer(agent: Agent) -> Tool:
    entries = {"type": "string", "enum": list(agent.directory), "description": "who takes over"}
    return _checked(
        TRANSFER,
        "Hand the caller over to a person. Say first, in one sentence, whom you connect them to.",
        schema(
            {
                "entry": entries,
                "intent": _text("what the caller wants, in two or three words"),
                "summary": _text("what the person must know, in one or two sentences"),
            },
            ("entry", "intent", "summary"),
        ),
    )


def _hang_up() -> Tool:
    parameters = schema({"reason": _text("why the call is over")}, ("reason",))
    return _checked(
        HANG_UP, "End the call. Say goodbye first; the caller hears it out.", parameters
    )


def _note_outcome(agent: Agent) -> Tool:
    outcome = _text("what came of the call")
    if agent.outcomes:
        outcome["enum"] = list(agent.outcomes)
    return _checked(
        NOTE_OUTCOME,
        "Note what came of the call, once it is clear. The caller does not hear of it.",
        schema({"outcome": outcome, "details": _text("in one sentence")}, ("outcome",)),
    )


def _collect_digits() -> Tool:
    count = {"type": "integer", "description": "how many; 0 where the caller ends them with #"}
    return _checked(
        COLLECT_DIGITS,
        "Use this when you ask the caller to key in or say a number of known length, as an order "
        "number. Ask for it in the same answer; the next turn of the caller is the number.",
        schema({"count": count}, ("count",)),
    )


def _look_up(agent: Agent) -> Tool:
    table = {"type": "string", "enum": list(agent.data), "description": "the table"}
    parameters = schema({"table": table, "key": _text("the row's key")}, ("table", "key"))

    async def run(arguments: Arguments, variables: Mapping[str, str]) -> Any:
        fitted = fitting(LOOK_UP, arguments, parameters)
        row = look_up(agent, fitted["table"], fitted["key"])
        return f"there is no {fitted['key']} in {fitted['table']}" if row is None else row

    return Tool(LOOK_UP, "Look up one row of a table of data.", parameters, run)


def _press_keys() -> Tool:
    keys = _text("the keys in their order, without spaces: 0-9, * and #")
    parameters = schema({"keys": keys}, ("keys",))

    async def run(arguments: Arguments, variables: Mapping[str, str]) -> Any:
        given = str(fitting(PRESS_KEYS, arguments, parameters)["keys"])
        if not re.fullmatch(rf"[0-9*#]{{1,{MOST_KEYS}}}", given):
            raise ToolError(f"{PRESS_KEYS}: {given!r} are not 1 to {MOST_KEYS} of 0-9, * and #")
        return "pressed"

    return Tool(
        PRESS_KEYS,
        "Press keys of the telephone, as where a machine answers and offers a menu.",
        parameters,
        run,
    )


def _pause_recording() -> Tool:
    return _checked(
        PAUSE_RECORDING,
        "Pause the recording. Do it before you ask for a card's number or another such secret.",
        schema({}, ()),
    )


def _resume_recording() -> Tool:
    return _checked(
        RESUME_RECORDING, "Let the recording go on, once the secret is over.", schema({}, ())
    )


def _checked(name: str, description: str, parameters: dict[str, Any]) -> Tool:
    """Make a tool that only checks its arguments: what it does is for the dialogue to tell."""

    async def run(arguments: Arguments, variables: Mapping[str, str]) -> Any:
        return fitting(name, arguments, parameters)

    return Tool(name, description, parameters, run)


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}
