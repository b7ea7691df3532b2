import asyncio

import pytest

from opensip.agent.definition import Agent, Entry
from opensip.agent.tools.builtin import BUILT_IN, built_in
from opensip.errors import ToolError

AGENT = Agent(
    "shop",
    directory={"human": Entry("sip:desk@x")},
    data={"orders": {"4217": {"item": "lamp"}}},
    outcomes=("resolved", "call back"),
    press_keys=True,
    pause_recording=True,
)


def named(agent):
    return {tool.name: tool for tool in built_in(agent)}


def test_an_agent_has_those_that_suit_it():
    assert set(named(AGENT)) == set(BUILT_IN)
    assert set(named(Agent("bare"))) == {"hang_up", "note_outcome", "collect_digits"}
    properties = named(AGENT)["note_outcome"].parameters["properties"]
    assert properties["outcome"]["enum"] == ["resolved", "call back"]
    assert named(AGENT)["transfer"].parameters["properties"]["entry"]["enum"] == ["human"]


def test_rows_are_looked_up():
    tool = named(AGENT)["look_up"]
    assert asyncio.run(tool.run({"table": "orders", "key": 4217}, {})) == {"item": "lamp"}
    assert asyncio.run(tool.run({"table": "orders", "key": "1"}, {})) == "there is no 1 in orders"


def test_arguments_are_checked():
    with pytest.raises(ToolError, match="transfer: entry is '911', not one of human"):
        asyncio.run(
            named(AGENT)["transfer"].run({"entry": "911", "intent": "x", "summary": ""}, {})
        )


@pytest.mark.parametrize("keys", ["", "1 2", "A", "1\n", "1" * 33])
def test_what_are_no_keys_is_told_to_the_model(keys):
    tool = named(AGENT)["press_keys"]
    assert asyncio.run(tool.run({"keys": "12*#"}, {})) == "pressed"
    with pytest.raises(ToolError, match=r"press_keys: .* are not 1 to 32 of 0-9, \* and #"):
        asyncio.run(tool.run({"keys": keys}, {}))
