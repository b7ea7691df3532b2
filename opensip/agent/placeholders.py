"""The placeholders of an agent's texts: {order}, {order:digits}, {orders.item}.

A misspelt one would be found by a caller: at best it is left out, at worst the answer fails.
"""

import difflib
import re
import string
from collections.abc import Iterable, Iterator, Mapping

from opensip.agent.spoken import formed

Names = Mapping[str, frozenset[str]]  # a name -> its columns, none for a plain value

VARIABLES = ("caller", "called", "call_id")  # of every call
_NAME = re.compile(r"\{(\w+)(?::digits)?\}")
_UNCLOSED = re.compile(rf"\{{({'|'.join(VARIABLES)})(?![\w}}])")
_LONGEST = 60  # characters of a text that are shown
_FIELD = re.compile(r"(\w+)(?:\.(\w+))?")


def mistakes(text: str, names: Names) -> Iterator[str]:
    """Name every placeholder of `text` that nothing fills, with the nearest that is known."""
    if wrong := broken(text):
        yield wrong
        return
    for name, form in _fields(text):
        if not _is_known(name, names):
            yield f"nothing fills {{{name}}} in {text!r}{_nearest(name, names)}"
        elif not _is_form(form):
            yield _of_no_form(name, form, text)


def broken(text: str) -> str:
    """Tell why the braces of `text` cannot be read; "" where they can."""
    try:
        list(string.Formatter().parse(text))
    except ValueError as error:
        return f"{text!r} is no template: {error}; write {{{{ for a brace"
    return ""


def misspelt(text: str, more: Iterable[str] = (), *, plain: bool = False) -> str:
    """Tell what is wrong in a text that is filled with the variables of a call; "" if nothing is.

    A trunk may tell any variable: an unknown name is a mistake where it is nearly one of ours. In
    a `plain` text braces may stand for themselves.
    """
    if not plain and (wrong := broken(text)):
        return wrong
    for name, form in () if plain else _fields(text):
        if not name.isidentifier():
            return f"nothing fills {{{name}}} in {_shown(text)}; a variable is one word: {{caller}}"
        if not _is_form(form):
            return _of_no_form(name, form, text)
    for name in _NAME.findall(text):
        close = difflib.get_close_matches(name, [*VARIABLES, *more], n=1, cutoff=0.75)
        if close and close[0] != name:
            return f"nothing fills {{{name}}} in {_shown(text)}; did you mean {{{close[0]}}}?"
    if plain and (open_ := _UNCLOSED.search(text)):
        return f"{open_[0]!r} is not closed in {_shown(text)}: write {{{open_[1]}}}"
    return ""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def _is_known(name: str, names: Names) -> bool:
    found = _FIELD.fullmatch(name)
    if not found or found[1] not in names:
        return False
    columns = names[found[1]]
    return found[2] in columns if found[2] else not columns


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Give each placeholder's name, and its form: "", ":digits", "!r"."""
    for _, name, spec, conversion in string.Formatter().parse(text):
        if name is not None:
            yield name, f"!{conversion}" if conversion else f":{spec}" if spec else ""


def _is_form(form: str) -> bool:
    try:
        formed("1", form.removeprefix(":"))
    except ValueError:
        return False
    return not form.startswith("!")


def _of_no_form(name: str, form: str, text: str) -> str:
    return f"no form {form!r} of {{{name}}} in {_shown(text)}: {{{name}:digits}} or {{{name}}}"


def _nearest(name: str, names: Names) -> str:
    known = [full for first in sorted(names) for full in _written(first, names[first])]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {{{close[0]}}}?"
    return f"; known are {', '.join(f'{{{full}}}' for full in known) or 'none'}"


def _written(name: str, columns: frozenset[str]) -> list[str]:
    return [f"{name}.{column}" for column in sorted(columns)] or [name]
