import asyncio
import os
import sys
import threading
from typing import Literal

import pytest

from opensip.agent.definition import ToolTable
from opensip.agent.tools.function import adopt, load, tool_of
from opensip.errors import ConfigError, ToolError

TABLE = ToolTable(module="x")


def book(
    day: str,
    people: int,
    place: Literal["inside", "outside"] = "inside",
    wishes: list[str] | None = None,
    call: dict | None = None,
) -> dict:
    """Book a table,
    if one is free.

    Args:
        day: the day, as 2026-12-24
        people (int): how many come
    """
    return {"day": day, "people": people, "place": place, "for": (call or {})["caller"]}


def test_signature_and_docstring_tell_a_model_what_to_do():
    tool = tool_of("book", book, TABLE)
    assert tool.description == "Book a table, if one is free."
    assert tool.parameters == {
        "type": "object",
        "properties": {
            "day": {"type": "string", "description": "the day, as 2026-12-24"},
            "people": {"type": "integer", "description": "how many come"},
            "place": {"type": "string", "enum": ["inside", "outside"]},
            "wishes": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["day", "people"],
        "additionalProperties": False,
    }


def test_a_plain_function_runs_in_a_thread_with_the_call_at_hand():
    tool = tool_of("book", book, TABLE)
    result = asyncio.run(tool.run({"day": "2026-12-24", "people": 2}, {"caller": "+1"}))
    assert result == {"day": "2026-12-24", "people": 2, "place": "inside", "for": "+1"}


def test_an_async_function_is_awaited_and_its_errors_named():
    async def fails(number: str):
        raise KeyError(number)

    def wrong():
        raise ToolError("no such thing")

    with pytest.raises(ToolError, match="fails: KeyError: '7'"):
        asyncio.run(tool_of("fails", fails, TABLE).run({"number": "7"}, {}))
    with pytest.raises(ToolError, match="no such thing"):
        asyncio.run(tool_of("wrong", wrong, TABLE).run({}, {}))
    with pytest.raises(ToolError, match="fails: number is missing"):
        asyncio.run(tool_of("fails", fails, TABLE).run({}, {}))


def test_a_function_that_hangs_keeps_nobody():
    go, began = threading.Event(), threading.Event()

    def hangs():
        began.set()
        go.wait()
        return 1

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await tool_of("hangs", hangs, TABLE).run({}, {})
        go.set()
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert began.is_set()


def counting(file, n):
    file.write_text(f"def count():\n    return {n}\n")
    os.utime(file, (n, n))


def counted(file):
    return asyncio.run(load("count", ToolTable(file=file)).run({}, {}))


def test_a_file_that_has_changed_is_used_by_calls_once_it_is_adopted(tmp_path):
    file = tmp_path / "shop.py"
    counting(file, 1)
    load("count", ToolTable(file=file), anew=True)
    assert counted(file) == 1
    adopt()
    counting(file, 2)
    assert counted(file) == 1
    looked_at = load("count", ToolTable(file=file), anew=True)
    assert (asyncio.run(looked_at.run({}, {})), counted(file)) == (2, 1)
    counting(file, 1)
    load("count", ToolTable(file=file), anew=True)
    adopt()  # it is as it was again
    assert counted(file) == 1
    counting(file, 3)
    load("count", ToolTable(file=file), anew=True)
    adopt()
    assert counted(file) == 3


def test_a_file_that_is_broken_meanwhile_hurts_no_call(tmp_path):
    file = tmp_path / "shop.py"
    counting(file, 1)
    load("count", ToolTable(file=file), anew=True)
    adopt()
    for text in ("def count(:", "import sys\nsys.exit(3)"):
        file.write_text(text)
        with pytest.raises(ConfigError, match="cannot be loaded"):
            load("count", ToolTable(file=file), anew=True)
        assert counted(file) == 1
    file.unlink()
    assert counted(file) == 1


def leaves():
    sys.exit(3)


async def leaves_async():
    sys.exit(3)


async def cancels_itself():
    raise asyncio.CancelledError


def finds_nothing():
    return next(iter(()))


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (leaves, "SystemExit: 3"),
        (leaves_async, "SystemExit: 3"),
        (cancels_itself, "was cancelled by itself"),
        (finds_nothing, r"RuntimeError: StopIteration\(\)"),
    ],
)
def test_whatever_a_function_raises_is_told_and_ends_it_alone(function, told):
    async def main():
        with pytest.raises(ToolError, match=told):
            async with asyncio.timeout(1):
                await tool_of("act", function, TABLE).run({}, {})

    asyncio.run(main())


def test_a_function_that_gives_something_to_wait_for_is_waited_for():
    async def later():
        return 5

    def gives():
        return later()

    assert asyncio.run(tool_of("act", gives, TABLE).run({}, {})) == 5


def test_who_is_cancelled_from_outside_ends():
    async def main():
        task = asyncio.create_task(tool_of("act", cancels_later, TABLE).run({}, {}))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def cancels_later():
        await asyncio.sleep(60)

    asyncio.run(main())


def test_a_module_is_named_as_python_names_it():
    tool = load("size", ToolTable(module="tests.agent.tools.test_function", function="_size"))
    assert asyncio.run(tool.run({"text": "four"}, {})) == 4


def _size(text: str) -> int:
    return len(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "there is no file"),
        ("def other(): pass", "there is no function 'act'"),
        ("def acts(): pass", "did you mean 'acts'"),
        ("raise ValueError('oh')", "cannot be loaded: ValueError: oh"),
        ("def act(*all): pass", r"act\(\*all\): a model needs each parameter by name"),
        ("def act(a, /): pass", r"act\(a, /\): a tool is called by names"),
        ("def act(a: bytes): pass", r"act\(a: <class 'bytes'>\): a model knows str"),
        ("def act(a: 'Unknown'): pass", "the annotations of act cannot be read"),
    ],
)
def test_what_cannot_be_a_tool_says_why(tmp_path, text, told):
    file = tmp_path / "wrong.py"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=told):
        load("act", ToolTable(file=file))


def test_a_module_that_is_not_there():
    with pytest.raises(ConfigError, match=r"module 'no\.such' cannot be imported: ModuleNotFound"):
        load("act", ToolTable(module="no.such"))
    with pytest.raises(ConfigError, match=r"its name must end in \.py"):
        load("act", ToolTable(file=__import__("pathlib").Path(__file__).parent))
