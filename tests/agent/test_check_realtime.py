import dataclasses

import pytest

from opensip.agent.check import check
from opensip.agent.check_realtime import speaks_by_model
from opensip.agent.definition import Account, Agent, ToolTable

BOT = Account(provider="stream", base_url="wss://bot.example.com/media")
MODEL = Account(provider="openai_realtime", api_key="k", realtime_model="m")


def agent(kind="stream", **more):
    accounts = {"bot": BOT, "main": MODEL} | more.pop("providers", {})
    return Agent("test", kind=kind, providers=accounts, **({"realtime": ("bot",)} | more))


def test_good_ones_have_no_mistakes():
    assert check(agent()) == []
    assert check(agent("realtime", realtime=("main", "bot"), persona="You are Ada.")) == []
    assert not speaks_by_model(agent())


def test_what_must_be_agreed_to_wants_the_callers_words():
    tools = {"pay": ToolTable(module="pay", confirm=True)}
    wants = dict(kind="realtime", realtime=("main",), persona="You are Ada.", tools=tools)
    assert check(agent(**wants)) == [
        "providers.main.recognizer_model: is missing, and tools.pay.confirm wants the"
        " caller's words"
    ]
    hears = dataclasses.replace(MODEL, recognizer_model="w")
    assert check(agent(**wants, providers={"main": hears})) == []


def test_a_provider_must_be_there():
    assert check(agent(realtime=())) == [
        "realtime: name at least one of [providers]: a model that speaks, or a bot"
    ]
    assert check(agent(realtime=("bot", "bott"))) == [
        "realtime: no provider 'bott'; did you mean 'bot'?"
    ]
    assert check(agent(realtime=("bot", "qqq"))) == [
        "realtime: no provider 'qqq': add [providers.qqq]"
    ]


def test_a_stream_begins_with_a_bot_and_a_model_wants_a_persona():
    assert check(agent(realtime=("main",))) == [
        'kind: "stream" begins with a bot, but \'main\' is none: "realtime"',
        "persona: say who the agent is, what it may do and what not",
    ]


def test_accounts_are_looked_at():
    wrong = {
        "http": dataclasses.replace(BOT, base_url="https://bot.example.com"),
        "old": Account(provider="openai", api_key="k"),
        "bare": dataclasses.replace(MODEL, api_key="", realtime_model="", realtime_seconds=99),
    }
    names = ("bot", *wrong)
    assert check(agent(realtime=names, providers=wrong, persona="You are Ada.")) == [
        "providers.http.base_url: 'https://bot.example.com' is no ws:// or wss:// URL of the bot",
        "providers.old.provider: 'openai' does not hear and speak at once;"
        " openai_realtime and stream do",
        "providers.bare.api_key: is missing; write env:NAME or file:PATH, or a base_url",
        "providers.bare.realtime_model: is missing, and realtime names 'bare'",
        "providers.bare.realtime_seconds: must be more than 0 and at most 10",
    ]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("wss://pass@bot.example", "names a user without a password"),
        ("wss://bot.example/a#pass", "has a part behind #"),
        ("wss://bot.example:pass/a", "has a host or port that is none"),
        ("wss://[pass", "has a host or port that is none"),
        ("wss:///a?pass", "names no host"),
    ],
)
def test_a_url_that_nobody_can_connect_to_is_told_without_it(url, why):
    [told] = check(agent(providers={"bot": dataclasses.replace(BOT, base_url=url)}))
    assert told.startswith(f"providers.bot.base_url: {why}")
    assert "pass@" not in told.replace("user:password@", "")
    plain = dataclasses.replace(MODEL, base_url=url)
    [told] = check(agent("realtime", realtime=("main",), persona="x", providers={"main": plain}))
    assert told.endswith("is no http:// or https:// URL")
    plain = dataclasses.replace(MODEL, base_url=url.replace("wss", "https"))
    [told] = check(agent("realtime", realtime=("main",), persona="x", providers={"main": plain}))
    assert told.startswith(f"providers.main.base_url: {why}")


def test_a_voice_of_our_own_must_be_one():
    assert check(agent(synthesizer=("embeded",))) == [
        "synthesizer: no provider 'embeded'; did you mean 'embedded'?"
    ]
    assert check(agent(synthesizer=())) == []


def test_a_bot_keeps_its_own_time_of_silence():
    wrong = "a bot asks a silent caller itself, and ends the call itself; take it out"
    told = check(agent(idle_seconds=5.0, idle_prompts=("Hello?",)))
    assert told == [f"idle_seconds: {wrong}", f"idle_prompts: {wrong}"]
    model = dict(realtime=("bot", "main"), persona="You are Ada.", idle_seconds=5.0)
    assert check(agent(**model)) == []
