"""What an agent may do beside speaking: one record a tool, however it is carried out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opensip.errors import ToolError

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as a model is told of it, and what carries it out.

    `parameters` is a JSON schema of an object. `run` takes the arguments and the variables of
    the call, and raises ToolError. `changes` says that it does more than look, `confirm` that
    the caller must have said yes to it, `confirm_text` (with {name} of arguments) to what.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    run: Callable[[Arguments, Mapping[str, str]], Awaitable[Any]]
    seconds: float = 5.0
    changes: bool = False
    confirm: bool = False
    confirm_text: str = ""


def schema(properties: Mapping[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    """Write the JSON schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def fitting(tool: str, arguments: Arguments, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Check arguments against a schema as written here; raises ToolError that names each misfit.

    A number where a text is wanted becomes a text: models write order numbers either way.
    """
    known, wrong = parameters["properties"], []
    wrong += [f"{name} is missing" for name in parameters["required"] if name not in arguments]
    wrong += [f"{name} is not known" for name in arguments if name not in known]
    fitted: dict[str, Any] = {}
    for name in arguments.keys() & known.keys():
        value, kind = arguments[name], known[name].get("type")
        if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if kind in _KINDS and not _is(value, kind):
            wrong.append(f"{name} is no {kind}: {value!r}")
        elif "enum" in known[name] and value not in known[name]["enum"]:
            wrong.append(f"{name} is {value!r}, not one of {', '.join(known[name]['enum'])}")
        fitted[name] = value
    if wrong:
        raise ToolError(f"{tool}: {'; '.join(sorted(wrong))}")
    return fitted


_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def _is(value: object, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
