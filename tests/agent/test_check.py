import dataclasses
from functools import partial

import pytest

from opensip.agent.check import check
from opensip.agent.definition import (
    Account,
    Action,
    Agent,
    Entry,
    Intent,
    Slot,
    State,
    ToolTable,
    Variant,
)
from tests.fakes.shop import shop

MAIN = Account(
    api_key="k", recognizer_model="r", dialogue_model="d", synthesizer_model="s", voice="v"
)


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
        "kind: 'robot' is not one of model, scripted, realtime, stream, echo, tone"
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
            "hours": Intent((), Action(press="1+", recording="stop", go="nowhere", hangup=True)),
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
        "intents.hours.action.press: '+' is on no telephone: 0-9, *, #, A-D are",
        "intents.hours.action.recording: no verb 'stop'; known are pause, resume",
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


MODEL = Agent(
    "test",
    kind="model",
    persona="You are Ada.",
    recognizer=("main",),
    dialogue=("main",),
    synthesizer=("main", "embedded"),
    providers={
        "main": Account(
            api_key="sk-1",
            recognizer_model="r",
            dialogue_model="d",
            synthesizer_model="s",
            voice="v",
        )
    },
)


def test_a_model_agent_needs_a_persona_and_its_providers():
    assert check(MODEL) == []
    assert check(dataclasses.replace(MODEL, directory={"human": Entry("sip:desk@x")})) == []


def test_every_mistake_of_a_model_agent_is_told_at_once():
    agent = dataclasses.replace(
        MODEL,
        persona=" ",
        language="English",
        greeting="{open",
        idle_prompts=("}",),
        idle_seconds=0,
        max_seconds=-1,
        filler_seconds=-1,
        tool_calls=-1,
        directory={"desk": Entry("sip:desk@x")},
        recognizer=("main", "openai", "embeded"),
        dialogue=("main", "second", "script"),
        synthesizer=("third",),
        providers={
            "main": Account(api_key="sk-1", dialogue_model="d", dialogue_seconds=0),
            "second": Account(dialogue_model="d"),
            "third": Account(base_url="http://x", synthesizer_model="s"),
            "fourth": Account(provider="acme"),
        },
        tools={
            "transfer": ToolTable(module="x"),
            "two words": ToolTable(),
            "hook": ToolTable(
                url="ftp://x", module="y", method="LOOK", seconds=31, optional=("n",),
                parameters={"m": 1},
            ),
            "other": ToolTable(url="https://{host}.example.com/{m}", description="x"),
        },
    )  # fmt: skip
    found = "\n".join(check(agent))
    for what in (
        "persona: say who the agent is",
        "language: 'English' is no language tag",
        "greeting: '{open' is no template",
        "idle_prompts[0]: '}' is no template",
        "idle_seconds: must be more than 0",
        "max_seconds: must be more than 0; without it the trunk's max_seconds holds alone",
        "filler_seconds: must be more than 0",
        "tool_calls: must be 0 or more",
        "human: no directory entry 'human'; known are desk",
        "providers.main.recognizer_model: is missing, and recognizer names 'main'",
        "recognizer: 'openai' needs a table [providers.openai] that names its models",
        "recognizer: no provider 'embeded'; did you mean 'embedded'?",
        "providers.second.api_key: is missing; write env:NAME or file:PATH, or a base_url",
        "providers.third.voice: is missing, and synthesizer names 'third'",
        "providers.fourth.provider: no provider 'acme'",
        "providers.main.dialogue_seconds: must be more than 0 and at most 30: a caller waits",
        "tools.transfer: every agent has a tool of this name",
        "tools.two words: a tool is named by letters",
        "tools.two words: one of file, module and url is wanted",
        "tools.hook: one of file, module and url is wanted",
        "tools.other.url: 'https://{host}.example.com/{m}' lets a caller choose the host",
        "tools.other.url: no parameter 'm' for {m}",
        "tools.hook.url: 'ftp://x' is no http:// or https:// URL",
        "tools.hook.description: tell the model",
        "tools.hook.method: 'LOOK' is not one of GET, POST",
        "tools.hook.seconds: more than 0 and at most 30",
        "tools.hook.optional: no parameter 'n'; known are m",
        "tools.hook.parameters.m: a description, a list of values or a JSON schema",
        "dialogue: 'script' talks by states, and there are none; name",
    ):
        assert what in found


def test_a_misspelt_placeholder_is_named_with_its_place_and_the_nearest():
    agent = shop()
    found = check(
        dataclasses.replace(
            agent,
            greeting="Hello {who}.",
            replies={"escalate": "I call {woh}.", "apology": "Sorry, {who}."},
            states={**agent.states, "main": State(ask="{orders.itm}?", intents=("hours",))},
        )
    )
    assert [wrong.partition("; ")[0] for wrong in found] == [
        "greeting: nothing fills {who} in 'Hello {who}.'",
        "replies.escalate: nothing fills {woh} in 'I call {woh}.'",
        "replies.apology: nothing fills {who} in 'Sorry, {who}.'",
        "states.main.ask: nothing fills {orders.itm} in '{orders.itm}?'",
    ]
    assert "did you mean {who}?" in found[1]
    assert "did you mean {orders.item}?" in found[3]


def test_who_has_no_human_learns_why_one_is_wanted_and_what_to_add():
    [found] = [w for w in check(shop(directory={})) if w.startswith("human")]
    assert "no directory entry 'human'" in found
    assert "(the default of human): add [directory.human] with uri = " in found
    others = {"front": Entry("sip:desk@127.0.0.1")}
    [found] = [w for w in check(shop(directory=others)) if w.startswith("human")]
    assert found.endswith("or set human to one of 'front'")


def test_what_is_other_for_a_number_is_checked_as_well_and_told_once():
    good = Variant(greeting="Hallo.", voice="awb")
    assert check(dataclasses.replace(shop(), numbers={"+4930123456": good})) == []
    wrong = Variant(greeting="{open", synthesizer=("nobody",))
    found = check(dataclasses.replace(shop(), failures=0, numbers={"030": wrong}))
    assert found[:2] == [
        "failures: must be at least 1",
        "numbers.030: is no number as +15553334444, which a caller dials",
    ]
    assert [one.partition(": ")[0] for one in found[2:]] == [
        "numbers.030.greeting", "numbers.030.synthesizer",
    ]  # fmt: skip


def test_an_empty_file_is_told_of_kinds():
    found = check(Agent("test"))
    assert 'kind: "scripted" talks by states: add [states.main], or write kind = "model"' in found


def test_what_would_fail_only_in_a_call_is_a_mistake():
    agent = Agent(
        "ada",
        kind="model",
        persona="You talk with {callr}.",
        human="boss",
        fillers=("One moment, {caller",),
        recognizer=("main",),
        dialogue=("main",),
        providers={"main": Account(base_url="localhost:8000", recognizer_model="r")},
        tools={"look": ToolTable(url="http://x/", description="Looks.", secret="whsec_@@")},
    )
    found = "\n".join(check(agent))
    for what in (
        "persona: nothing fills {callr}",
        "fillers[0]: 'One moment, {caller' is no template",
        "human: no directory entry 'boss'; known are none",
        "providers.main.base_url: 'localhost:8000' is no http:// or https:// URL",
        "tools.look.secret: what follows whsec_ is no base64",
    ):
        assert what in found


def test_what_must_be_agreed_to_has_a_question_and_a_yes():
    pay = ToolTable(url="http://x/", description="Pays.", confirm_text="{sum} to {whom}",
                    parameters={"sum": "dollars"})  # fmt: skip
    model = partial(
        Agent, "ada", kind="model", persona="You are Ada.", recognizer=("main",),
        dialogue=("main",), synthesizer=("main",), providers={"main": MAIN},
    )  # fmt: skip
    wrong = model(language="fi", tools={"pay": pay}, tool_repeats=0, replies={"confirm": "Well?"})
    assert check(wrong) == [
        "tool_repeats: must be at least 1",
        "replies.confirm: must hold {what}, what the caller is to agree to",
        "tools.pay.confirm_text: no parameter 'whom' for {whom}",
        "tools.pay.confirm_text: is said only with confirm = true",
    ]
    waits = {"pay": dataclasses.replace(pay, confirm=True, confirm_text="")}
    assert check(model(language="fi", tools=waits)) == [
        "tools.pay.confirm: what is a yes in the language 'fi'? Give yes_words and no_words"
    ]
    assert check(model(language="fi", tools=waits, yes_words=("joo",))) == []


def test_a_provider_of_another_stage_is_told_as_that_and_an_unknown_one_once():
    accounts = {"ears": Account(provider="embedded"), "odd": Account(provider="openia")}
    agent = Agent(
        "a", kind="model", persona="You are Ada.", recognizer=("ears",), dialogue=("ears", "odd"),
        synthesizer=("embedded",), providers=accounts,
    )  # fmt: skip
    assert check(agent) == [
        "dialogue: 'ears' is of provider 'embedded', which has no dialogue",
        "providers.odd.provider: no provider 'openia'; known are embedded, openai, script,"
        " scripted",
    ]
    live = dataclasses.replace(agent, kind="realtime", realtime=("bot",), synthesizer=("odd",))
    told = "synthesizer: 'odd' is of provider 'openia', which has no synthesizer"
    assert told in check(live)
