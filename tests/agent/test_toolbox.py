import asyncio
import json

import pytest

from opensip.agent import toolbox
from opensip.agent.definition import Agent, ToolTable
from opensip.agent.memory import Call, Memory
from opensip.agent.toolbox import LARGEST_RESULT, Toolbox
from opensip.agent.tools.function import tool_of
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


@pytest.fixture
def box(monkeypatch):
    def made(function, *, tool_calls=30, tool_repeats=5, **more):
        table = ToolTable(module="tests", **more)
        monkeypatch.setattr(toolbox, "load", lambda name, table: tool_of(name, function, table))
        agent = Agent(
            "test", kind="model", tools={"act": table}, tool_calls=tool_calls,
            tool_repeats=tool_repeats,
        )  # fmt: skip
        memory = Memory()
        return Toolbox(agent, memory, {}, asyncio.get_running_loop().time), memory

    return made


async def fine(n: int = 0):
    await asyncio.sleep(0.5)
    return {"n": n}


def test_what_ran_is_told_to_the_journal_and_to_the_model(box):
    async def main():
        tools, memory = box(fine)
        (looked,), shown = await tools.run(Call("1", "act", '{"n": 3}'))
        assert (looked.name, looked.arguments, looked.result, looked.error) == (
            "act", {"n": 3}, {"n": 3}, "",
        )  # fmt: skip
        assert looked.seconds == pytest.approx(0.5)
        assert shown == '{"n": 3}'
        assert memory.spent.calls == 1

    run(main)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (
            Call("1", "fly", "{}"),
            "no tool 'fly'; there are act, hang_up, note_outcome, collect_digits",
        ),
        (Call("1", "act", '{"n":'), "act: the arguments are no JSON"),
        (Call("1", "act", "[1]"), "act: the arguments are no JSON object"),
        (Call("1", "act", '{"m": 1}'), "act: m is not known"),
    ],
)
def test_what_cannot_be_run_is_told_to_the_model(box, call, told):
    async def main():
        tools, _ = box(fine)
        (looked,), shown = await tools.run(call)
        assert told in looked.error
        assert shown.startswith(f"Error: {told}")

    run(main)


def test_a_tool_that_hangs_ends_in_its_time(box):
    async def hangs():
        await asyncio.sleep(1e6)

    async def main():
        tools, _ = box(hangs, seconds=2.0)
        (looked,), _ = await tools.run(Call("1", "act", "{}"))
        assert looked.error == "act gave no answer in 2 s"
        assert looked.seconds == pytest.approx(2.0)

    run(main)


def test_a_megabyte_is_cut_and_what_is_no_json_is_an_error(box):
    async def large():
        return {"all": "x" * 1_000_000}

    async def strange():
        circle = []
        circle.append(circle)
        return circle

    async def main():
        tools, _ = box(large)
        (looked,), shown = await tools.run(Call("1", "act", "{}"))
        assert len(shown) < LARGEST_RESULT + 20
        assert looked.result == shown
        tools, _ = box(strange)
        (looked,), _ = await tools.run(Call("1", "act", "{}"))
        assert "act gave what is no JSON" in looked.error

    run(main)


class Odd:
    def __str__(self):
        raise RuntimeError("no text")


class OddError(Exception, Odd):
    __str__ = Odd.__str__


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("[" * 60_000, "act: the arguments are no JSON"),
        ('{"n": ' * 60_000, "act: the arguments are no JSON"),
        ('{"n": ' * 101 + "{}" + "}" * 101, "act: the arguments are nested more than 100 times"),
        ('{"n": 1}', "act: failed with RuntimeError"),
        ('{"n": 2}', "act: failed with RuntimeError"),
        ('{"n": 3}', "act: failed with KeyError"),
    ],
)
def test_nothing_odd_ends_more_than_the_tool(box, monkeypatch, arguments, told):
    async def odd(n: int = 0):
        if n == 2:
            raise OddError
        return Odd()

    async def main():
        tools, _ = box(odd)
        if arguments == '{"n": 3}':
            monkeypatch.setattr(toolbox, "exceeded", lambda *_: {}[0])
        (looked,), shown = await tools.run(Call("1", "act", arguments))
        assert looked.error.startswith(told)
        assert (looked.result, shown) == (None, f"Error: {looked.error}")

    run(main)


def test_what_a_tool_gives_is_plain_data_from_then_on(box):
    class Counted:
        times = 0

        def __str__(self):
            self.times += 1
            return "x" * (self.times == 1) or self.fails

    given = {"a": (1, Counted()), 2: None}
    deep = []
    for _ in range(200):
        deep = [deep]

    async def odd(n: int = 0):
        return deep if n else given

    async def main():
        tools, _ = box(odd)
        (looked,), shown = await tools.run(Call("1", "act", "{}"))
        assert looked.result == json.loads(shown) == {"a": [1, "x"], "2": None}
        (looked,), shown = await tools.run(Call("1", "act", '{"n": 1}'))
        assert looked.result == shown == "[" * 201 + "]" * 201

    run(main)


def test_the_budget_of_a_call_ends_but_not_what_is_built_in(box):
    async def main():
        tools, _ = box(fine, tool_calls=1)
        await tools.run(Call("1", "act", "{}"))
        assert [tool.name for tool in tools.usable()] == [
            "hang_up", "note_outcome", "collect_digits",
        ]  # fmt: skip
        (refused,), shown = await tools.run(Call("2", "act", "{}"))
        assert (refused.name, refused.times) == ("act", 1)
        assert shown.startswith("the 1 calls of tools of this call (tool_calls) are made.")
        (refused,), _ = await tools.run(Call("2", "act", '{"n": 7}'))
        assert refused.times == 2
        (looked,), _ = await tools.run(Call("3", "hang_up", '{"reason": "done"}'))
        assert looked.error == ""

    run(main)


def test_the_same_again_and_again_is_not_done(box):
    async def main():
        tools, memory = box(fine, tool_repeats=3)
        shown = [(await tools.run(Call("1", "act", "{}")))[1] for _ in range(3)]
        assert shown[:2] == ['{"n": 0}'] * 2
        assert shown[2].startswith("You have called this with the same arguments")
        assert memory.spent.calls == 2
        memory.turns += 1
        assert (await tools.run(Call("1", "act", "{}")))[1] == '{"n": 0}'
        memory.turns += 1
        (refused,), shown = await tools.run(Call("1", "act", "{}"))
        assert "act ran 3 times with the same arguments" in refused.why
        assert shown.endswith("or hand the caller over.")
        assert (await tools.run(Call("1", "act", '{"n": 1}')))[1] == '{"n": 1}'

    run(main)


def test_who_leaves_while_something_is_to_be_agreed_to_waits(box):
    async def main():
        tools, _ = box(fine, confirm=True)
        bye, call = Call("1", "hang_up", '{"reason": "done"}'), Call("2", "act", "{}")
        ((left,), _), (acts, held) = await tools.run_all([bye, call])
        assert "the caller is being asked" in left.error
        assert acts == ()
        assert held.startswith("Not done yet")
        assert tools.changes([call])
        assert not tools.changes([bye, Call("5", "fly", "{}")])
        assert "must say yes" in tools.usable()[0].description

    run(main)


def test_tables_make_functions_or_webhooks(tmp_path):
    (tmp_path / "shop.py").write_text("def find(): ...")
    assert toolbox.load("find", ToolTable(file=tmp_path / "shop.py")).name == "find"
    assert toolbox.load("ask", ToolTable(url="http://x/", description="Asks.")).name == "ask"


def test_a_result_is_written_once(box, monkeypatch):
    written, dumps = [], json.dumps

    def counted(value, **how):
        written.append(value)
        return dumps(value, **how)

    async def act():
        return {"order": "a lamp"}

    async def main():
        tools, _ = box(act)
        monkeypatch.setattr(toolbox.json, "dumps", counted)
        (looked,), shown = await tools.run(Call("1", "act", "{}"))
        assert (looked.result, shown) == ({"order": "a lamp"}, '{"order": "a lamp"}')
        assert written == [{}, {"order": "a lamp"}]  # the arguments, and the result

    run(main)
