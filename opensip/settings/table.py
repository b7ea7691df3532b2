"""Reads a TOML table into the frozen dataclass that a room defines, and says every mistake.

The dataclass is the schema: field names are keys, annotations are types, defaults are defaults.
Known annotations: str, int, float, bool, Path, Secret, Literal, X | None, tuple[X, ...],
Mapping[str, X], another dataclass, IPv4/IPv6 networks, Any. A field whose metadata says `secret`
is read as a Secret. Annotated[X, check, ...]: each check raises ValueError for what is wrong.
"""

import dataclasses
import difflib
import ipaddress
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Never, TypeVar, Union, get_args, get_origin

from opensip.errors import ConfigError
from opensip.settings.secrets import Secret, exposure, fetch

T = TypeVar("T")


class Mistakes(ConfigError):
    """Everything that is wrong with a configuration, one line each."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


@dataclass(slots=True)
class Reading:
    """One file being read: what paths are relative to, and the mistakes found so far.

    A `lenient` one makes what it can, with defaults and blanks for what is wrong, so that the
    rest can be checked too; `places` are the dotted keys that are in doubt. `warnings` say what
    works but should not be.
    """

    file: Path
    environ: Mapping[str, str] | None = None
    mistakes: list[str] = field(default_factory=list)
    lenient: bool = False
    places: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    def mistake(self, where: str, what: str) -> None:
        """Note that `what` is wrong at the dotted key `where`."""
        self.places.add(where)
        self.mistakes.append(f"{self.file}: {where}: {what}" if where else f"{self.file}: {what}")


class _Wrong(Exception):
    """A value does not fit; the mistake has been, or is being, noted."""


def read(
    schema: type[T], table: Mapping[str, Any], reading: Reading, *, where: str = ""
) -> T | None:
    """Make a `schema` of `table`, or note every mistake and return None."""
    try:
        return typing.cast(T, _dataclass(schema, table, where, reading))
    except _Wrong:
        return None


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant, as the tail of a message."""
    names = {name.lower(): name for name in known}  # upper and lower case is the least mistake
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.5)
    told = ", ".join(sorted(names.values()))
    return f"; did you mean {names[close[0]]!r}?" if close else f"; known are {told}"


def names_doubtful(what: str, places: Iterable[str]) -> bool:
    """Tell whether a message names a key of `places`: it may only follow from what is wrong there.

    So a check of several keys names each that it looks at.
    """
    keys = {key for place in places for key in re.sub(r"\[\d+\]", "", place).split(".")}
    return not keys.isdisjoint(re.findall(r"\w+", what))


def below(where: str, places: Iterable[str]) -> set[str]:
    """Give those of `places` that lie in the table `where`, as they are called in it."""
    start = _join(where, "")
    return {place.removeprefix(start) for place in places if place.startswith(start)}


def _dataclass(schema: Any, table: Any, where: str, reading: Reading) -> Any:
    is_table = isinstance(table, dict)
    if not is_table:
        reading.mistake(where, f"a table is wanted here, not {table!r}")
        if not reading.lenient:
            raise _Wrong
    found = len(reading.mistakes)
    values = _fields(schema, table if is_table else None, where, reading)
    if len(reading.mistakes) > found and not reading.lenient:
        raise _Wrong
    try:
        return schema(**values)
    except (ValueError, ConfigError) as error:  # what a room checks when it is built
        if not names_doubtful(str(error), below(where, reading.places)):
            reading.mistake(where, str(error))
        raise _Wrong from error


def _fields(schema: Any, given: Any, where: str, reading: Reading) -> dict[str, Any]:
    """Read the fields of a table; of what is none (None) all are blank, and none is missing."""
    table = given or {}
    hints = typing.get_type_hints(schema, include_extras=True)
    fields = {f.name: f for f in dataclasses.fields(schema) if f.init}
    for key in table.keys() - fields.keys():
        reading.mistake(_join(where, key), f"unknown key{nearest(key, fields)}")
        meant = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
        reading.places |= {_join(where, name) for name in meant if name not in table}
    values = {}
    for name, item in fields.items():
        if name not in table:
            if item.default is MISSING and item.default_factory is MISSING:
                values[name] = _blank(hints[name])
                if given is not None:
                    reading.mistake(_join(where, name), "is missing")
                    reading.places |= {where} - {""}
            continue
        try:
            # a room below marks what is secret: it does not know where secrets are fetched
            hint = Secret if item.metadata.get("secret") else hints[name]
            values[name] = _value(hint, table[name], _join(where, name), reading)
        except _Wrong:
            if reading.lenient and item.default is MISSING and item.default_factory is MISSING:
                values[name] = _blank(hints[name])
                reading.places |= {where} - {""}
    return values


def _blank(hint: Any) -> Any:
    return _BLANKS.get(hint, ())


_BLANKS: Mapping[Any, Any] = {str: "", int: 0}  # of fields that must be given, in lenient reading


def _value(hint: Any, value: Any, where: str, reading: Reading) -> Any:
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint, value, where, reading)
    reader = _READERS.get(get_origin(hint), _scalar)
    return reader(hint, value, where, reading)


def _scalar(hint: Any, value: Any, where: str, reading: Reading) -> Any:
    if hint is Secret:
        return _secret(value, where, reading)
    if hint is Path:
        text = _scalar(str, value, where, reading)
        return reading.file.parent / Path(text).expanduser()
    if hint is float and type(value) is int:
        return float(value)
    if hint in (str, int, float, bool):
        return value if type(value) is hint else _wrong(reading, where, _NAMES[hint], value)
    return _network(value, where, reading)


_NAMES = {
    str: "a text in quotes is wanted",
    int: "a whole number is wanted",
    float: "a number is wanted",
    bool: "true or false is wanted",
}


def _secret(value: Any, where: str, reading: Reading) -> Secret:
    if not isinstance(value, str):
        _wrong(reading, where, "env:NAME or file:PATH is wanted", "what stands there")
    base = reading.file.parent
    try:
        secret = fetch(value, base=base, environ=reading.environ)
    except ConfigError as error:
        reading.mistake(where, str(error))
        raise _Wrong from error
    if others := exposure(value, base=base):
        reading.warnings.append(f"{reading.file}: {where}: {others}")
    return secret


def _network(value: Any, where: str, reading: Reading) -> Any:
    try:
        return ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError as error:
        reading.mistake(where, f"no network such as 192.0.2.0/24: {error}")
        raise _Wrong from error


def _checked(hint: Any, value: Any, where: str, reading: Reading) -> Any:
    bare, *checks = get_args(hint)
    found = len(reading.mistakes)
    made = _value(bare, value, where, reading)
    if len(reading.mistakes) > found:  # a part of it is missing: checks would tell of that
        return made
    for check in checks:
        try:
            check(made)
        except ValueError as error:
            reading.mistake(where, str(error))
            raise _Wrong from error
    return made


def _union(hint: Any, value: Any, where: str, reading: Reading) -> Any:
    members = [m for m in get_args(hint) if m is not type(None)]
    for member in members:
        is_table = isinstance(value, dict) and dataclasses.is_dataclass(member)
        is_list = isinstance(value, list) and get_origin(member) is tuple
        if type(value) is member or is_table or is_list:
            return _value(member, value, where, reading)
    return _value(members[0], value, where, reading)


def _choice(hint: Any, value: Any, where: str, reading: Reading) -> Any:
    choices = get_args(hint)
    if value in choices:
        return value
    reading.mistake(where, f"{value!r} is not one of {', '.join(map(repr, choices))}")
    raise _Wrong


def _tuple(hint: Any, value: Any, where: str, reading: Reading) -> tuple[Any, ...]:
    if not isinstance(value, list):
        reading.mistake(where, f"a list in square brackets is wanted, not {value!r}")
        if not (reading.lenient and isinstance(value, str)):
            raise _Wrong
        value = [value]
    items = [(f"{where}[{i}]", get_args(hint)[0], v) for i, v in enumerate(value)]
    return tuple(_all(items, reading).values())


def _mapping(hint: Any, value: Any, where: str, reading: Reading) -> dict[str, Any]:
    if not isinstance(value, dict):
        _wrong(reading, where, "a table is wanted here", value)
    items = [(_join(where, key), get_args(hint)[1], v) for key, v in value.items()]
    values = _all(items, reading)
    return {key: values[at] for key in value if (at := _join(where, key)) in values}


def _all(items: Iterable[tuple[str, Any, Any]], reading: Reading) -> dict[str, Any]:
    """Read every item before failing, so that the mistakes of all of them are told."""
    values, wrong = {}, False
    for where, hint, value in items:
        try:
            values[where] = _value(hint, value, where, reading)
        except _Wrong:
            wrong = True
    if wrong and not reading.lenient:
        raise _Wrong
    return values


def _wrong(reading: Reading, where: str, wanted: str, value: Any) -> Never:
    reading.mistake(where, f"{wanted}, not {value!r}")
    raise _Wrong


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


_READERS: dict[Any, Callable[[Any, Any, str, Reading], Any]] = {
    Union: _union,
    types.UnionType: _union,
    Annotated: _checked,
    Literal: _choice,
    tuple: _tuple,
    dict: _mapping,
    Mapping: _mapping,
}
