import pytest

from opensip.agent.check_waiting import unbridged
from opensip.agent.definition import Account, Agent

MAIN = {
    "main": Account(),
    "quick": Account(recognizer_seconds=1.0, dialogue_seconds=1.0, synthesizer_seconds=1.0),
    "bot": Account(provider="stream", realtime_seconds=5.0),
}


def test_where_one_service_fails_the_next_takes_its_time_too():
    accounts = {"main": Account(provider="openai_realtime"), "spare": Account()}
    agent = Agent(
        "ada", kind="realtime", language="de", realtime=("main", "spare"), providers=accounts
    )
    assert "an answer may take 5 s" in " ".join(unbridged(agent))


@pytest.mark.parametrize(
    ("kind", "by", "language", "fillers", "told"),
    [
        ("model", "main", "en", None, ""),
        ("model", "main", "de", None, ""),
        ("model", "main", "fi", None, "an answer may take 14 s"),
        ("model", "main", "fi", ("Hetki.",), ""),
        ("model", "main", "en", (), "name a few short ones in the language 'en'"),
        ("model", "quick", "fi", None, ""),
        ("scripted", "main", "en", None, "there are none"),
        ("realtime", "main", "fi", None, ""),  # 2.5 s
        ("stream", "bot", "fi", None, ""),
        ("echo", "main", "fi", None, ""),
    ],
)
def test_an_agent_that_may_be_silent_for_long_is_told_of(kind, by, language, fillers, told):
    agent = Agent(
        "ada", kind=kind, language=language, fillers=fillers, providers=MAIN,
        recognizer=(by,), dialogue=(by,), synthesizer=(by,), realtime=(by,),
    )  # fmt: skip
    found = " ".join(unbridged(agent))
    assert told in found
    assert bool(told) == bool(found)
