"""Says what a tool is about to do, with what: for the caller to agree to. Pure.

Nobody agrees to what was not said: what is too long to be read out is refused, not left out.
"""

from collections.abc import Mapping
from typing import Any

from opensip.agent.spoken import fill_names
from opensip.agent.tongues import yes_or_no
from opensip.errors import ToolError

LONGEST = 300  # characters: twenty seconds of speech; nobody keeps more in mind
_GROUP = 4  # digits in a breath, where there are many
_FEW_DIGITS = 6  # that are said in one go


def read_back(
    tool: str, arguments: Mapping[str, Any], template: str = "", language: str = "en"
) -> str:
    """Write what `tool` is about to do; `template` holds {name} of arguments. ToolError.

    Without a template it is the name of the tool and each argument's name and value.
    """
    told = {name: value_aloud(value, language) for name, value in arguments.items()}
    told = {name: value for name, value in told.items() if value}
    if template:
        text = fill_names(template, told)
    else:
        text = ", ".join([_plain(tool), *(f"{_plain(name)} {told[name]}" for name in told)])
    text = " ".join(text.split()).rstrip(" .?!")
    if len(text) > LONGEST:
        raise ToolError(
            f"{tool}: the caller must agree to what it does, and {len(text)} characters are too"
            f" many to be read out ({LONGEST} at most): shorten the arguments"
        )
    return text


def value_aloud(value: object, language: str = "en") -> str:
    """Write a value as it is to be heard: a text of digits one by one; "" where it is nothing."""
    match value:
        case None:
            return ""
        case bool():
            return yes_or_no(value, language)
        case str() if value.isascii() and value.isdigit():
            return _digits(value)
        case Mapping():
            parts = ((_plain(str(name)), value_aloud(one, language)) for name, one in value.items())
            return ", ".join(f"{name} {one}" for name, one in parts if one)
        case list() | tuple():
            return ", ".join(filter(None, (value_aloud(one, language) for one in value)))
    return str(value).strip()


def _digits(text: str) -> str:
    if len(text) <= _FEW_DIGITS:
        return " ".join(text)
    groups = (text[start : start + _GROUP] for start in range(0, len(text), _GROUP))
    return ", ".join(" ".join(group) for group in groups)


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").strip()
