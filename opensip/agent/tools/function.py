"""Python functions as tools: the signature makes the schema, the docstring the descriptions.

    def find_order(number: str, call: dict) -> dict:
        '''Find an order by its number.

        Args:
            number: the four digits of the order
        '''

A parameter named `call` is given the variables of the call (caller, called, call_id) and is
hidden from the model. A function may be async; one that is not runs in a thread of its own.
"""

import asyncio
import contextlib
import contextvars
import difflib
import importlib
import importlib.util
import inspect
import re
import threading
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from opensip.agent.definition import ToolTable
from opensip.agent.listening import is_cancelled
from opensip.agent.tools import Arguments, Tool, fitting, schema
from opensip.errors import ConfigError, ToolError

_CALL = "call"
_SIMPLE = {str: "string", int: "integer", float: "number", bool: "boolean", dict: "object"}
_PARAMETER = re.compile(r"^\s*(?::param\s+)?(\w+)\s*(?:\([^)]*\))?:\s*(\S.*)$")
_Version = tuple[Path, int, int]  # of a file: where it is, its last change in ns, its size
_Loaded = dict[Path, tuple[_Version, types.ModuleType]]
_loaded: _Loaded = {}  # what calls use
_looked_at: _Loaded = {}  # what calls will use once the files of all agents are known to be good


def adopt() -> None:
    """Let calls use from now on what `load` has found anew: a reload was taken."""
    _loaded.update(_looked_at)
    _looked_at.clear()


def load(name: str, table: ToolTable, *, anew: bool = False) -> Tool:
    """Load the function that a table names and make a tool of it. Raises ConfigError.

    `anew`: look whether its file has changed; calls use that only once it is adopted.
    """
    module = _file(table.file, anew=anew) if table.file else _module(table.module)
    wanted = table.function or name
    function = getattr(module, wanted, None)
    if not callable(function):
        there = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        close = difflib.get_close_matches(wanted, there, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigError(
            f"there is no function {wanted!r} in {module.__file__}{hint} (function = … names one "
            "that is not called as the tool is)"
        )
    return tool_of(name, function, table)


def tool_of(name: str, function: Callable[..., Any], table: ToolTable) -> Tool:
    """Make a tool of a function. Raises ConfigError where its signature cannot be told a model."""
    description, told = _docstring(function)
    parameters = _parameters(name, function, told)
    takes_call = _CALL in inspect.signature(function).parameters

    async def run(arguments: Arguments, variables: Mapping[str, str]) -> Any:
        fitted = fitting(name, arguments, parameters)
        if takes_call:
            fitted[_CALL] = dict(variables)
        return await _carried_out(name, function, fitted)

    return Tool(
        name,
        table.description or description,
        parameters,
        run,
        seconds=table.seconds,
        changes=table.changes or table.confirm,
        confirm=table.confirm,
        confirm_text=table.confirm_text,
    )


def _file(path: Path, *, anew: bool) -> types.ModuleType:
    """Give the module of a file, which changes for calls with a reload of the server alone."""
    place = path.absolute()
    known = _loaded.get(place) or _looked_at.get(place)
    if known and not anew:
        return known[1]
    try:
        told, real = path.stat(), path.resolve()
    except OSError as error:
        raise ConfigError(f"there is no file {path}") from error
    version = real, told.st_mtime_ns, told.st_size
    for one in (_loaded.get(place), _looked_at.pop(place, None)):
        if one and one[0] == version:
            known = one
            break
    else:
        known = version, _executed(path)
    if _loaded.get(place) is not known:
        _looked_at[place] = known
    return known[1]


def _executed(path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(f"opensip_tools_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # foreign code: a user's file may raise anything
        raise ConfigError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _module(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # foreign code: a user's module may raise anything
        text = f"module {name!r} cannot be imported: {type(error).__name__}: {error}"
        raise ConfigError(text) from error


def _docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Read a docstring: its first paragraph, and what it says of each parameter."""
    text = inspect.getdoc(function) or ""
    first, _, rest = text.partition("\n\n")
    found = (_PARAMETER.match(line) for line in rest.splitlines())
    return " ".join(first.split()), {match[1]: match[2].strip() for match in found if match}


def _parameters(name: str, function: Callable[..., Any], told: Mapping[str, str]) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(function)
    except Exception as error:  # foreign code: an annotation may be anything
        raise ConfigError(f"the annotations of {name} cannot be read: {error}") from error
    properties, required = {}, []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == _CALL:
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ConfigError(f"{name}(*{parameter.name}): a model needs each parameter by name")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise ConfigError(f"{name}({parameter.name}, /): a tool is called by names")
        made = _type(name, parameter.name, hints.get(parameter.name, str))
        described = {"description": told[parameter.name]} if parameter.name in told else {}
        properties[parameter.name] = made | described
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    return schema(properties, tuple(required))


def _type(tool: str, name: str, hint: Any) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = [one for one in arguments if one is not type(None)]
        if len(inner) == 1:
            return _type(tool, name, inner[0])
    if origin is Literal and all(isinstance(one, str) for one in arguments):
        return {"type": "string", "enum": list(arguments)}
    if hint is list or origin is list:
        return {"type": "array", "items": _type(tool, name, arguments[0] if arguments else str)}
    kind = _SIMPLE.get(origin or hint)
    if kind is None:
        raise ConfigError(
            f"{tool}({name}: {hint}): a model knows str, int, float, bool, list, dict and Literal"
        )
    return {"type": kind}


async def _carried_out(name: str, function: Callable[..., Any], fitted: dict[str, Any]) -> Any:
    try:
        if inspect.iscoroutinefunction(function):
            return await function(**fitted)
        result = await _in_thread(lambda: function(**fitted))
        return await result if inspect.isawaitable(result) else result
    except ToolError:
        raise
    except asyncio.CancelledError as error:
        if is_cancelled():  # of us: its time is over, or its answer is not wanted
            raise
        raise ToolError(f"{name}: was cancelled by itself") from error
    except (Exception, SystemExit) as error:  # foreign code: one call of a user's tool
        raise ToolError(f"{name}: {type(error).__name__}: {error}") from error


async def _in_thread(work: Callable[[], Any]) -> Any:
    """Run in a thread that nobody waits for in the end: one that hangs must not keep us."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: Exception | SystemExit | None) -> None:
        if done.done():
            return  # its time was over
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    def run() -> None:
        result: Any = None
        error: Exception | SystemExit | None = None
        try:
            result = work()
        except StopIteration as raised:  # no future can hold one: next() without a default
            error = RuntimeError(repr(raised))
        except (Exception, SystemExit) as raised:  # foreign code: raised again for its caller
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: the call is long over
            loop.call_soon_threadsafe(settle, result, error)

    context = contextvars.copy_context()  # what it logs carries the call's id
    threading.Thread(target=context.run, args=(run,), daemon=True, name="opensip-tool").start()
    return await done
