import dataclasses

import pytest

from opensip.agent.definition import Action, Agent, Entry, Intent, Slot, State, check
from tests.fakes.shop import shop


def test_the_demo_agent_has_no_mistake_and_enough_to_look_up():
    agent = shop()
    assert check(agent) == []
    assert len(agent.data["orders"]) >= 12
    assert {"human", "emergency"} <= agent.directory.keys()


@pytest.mark.parametrize("kind", ["echo", "tone"])
def test_line_test_agents_need_nothing_more(kind):
    assert check(Agent("test", kind=kind)) == []


def test_an_unknown_kind_is_named():
    assert check(Agent("test", kind="robot")) == [
        "kind: 'robot' is not one of scripted, echo, tone"
    ]


def test_every_mistake_is_told_at_once():
    agent = Agent(
        "test",
        start="nowhere",
        greeting="{open",
        everywhere=("lost",),
        keys={"x": "hours"},
        failures=0,
        synthesizer=(),
        replies={"hello": "Hi."},
        states={"main": State(slot="digits", keyed="order"), "empty": State()},
        intents={
            "hours": Intent((), Action(go="nowhere", hangup=True)),
            "order": Intent(("where (is",), Action(transfer="nobody")),
        },
        slots={"order": Slot(4, ("my number",), table="orders")},
        directory={"human": Entry("http://example.com")},
    )
    found = "\n".join(check(agent))
    for what in (
        "start: no state 'nowhere'; known are empty, main",
        "everywhere: no intent 'lost'",
        "keys.x: a key is one of",
        "failures: must be at least 1",
        "synthesizer: name at least one provider",
        "replies: no reply 'hello'",
        "states.main.slot: no slot 'digits'; known are order",
        "intents.hours.phrases: name at least one phrase",
        "intents.hours.action: only one of",
        "intents.hours.action.go: no state 'nowhere'",
        "intents.order.phrases: ')' is missing",
        "intents.order.action.transfer: no directory entry 'nobody'",
        "slots.order.phrases: each must hold {digits}",
        "slots.order.table: no data table 'orders'; known are none",
        "directory.human.uri: 'http://example.com' is no sip:",
        "greeting: '{open' is no template",
    ):
        assert what in found


def test_a_state_that_listens_for_nothing_is_a_mistake():
    agent = dataclasses.replace(shop(), everywhere=(), states={"main": State("Hello?")})
    assert "states.main: listens for nothing; give it intents or a slot" in check(agent)
