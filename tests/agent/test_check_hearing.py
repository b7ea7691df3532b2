import pytest

from opensip.agent.check import check
from opensip.agent.check_hearing import deaf, of_no_session
from opensip.agent.definition import Account, Agent

MAIN = {"main": Account(recognizer_model="r")}


@pytest.mark.parametrize(
    ("kind", "recognizers", "told"),
    [
        ("scripted", ("embedded",), ""),
        ("model", ("main",), ""),
        ("model", ("embedded",), "it understands nobody; name an account"),
        ("model", ("main", "embedded"), "where the others fail, nobody is understood"),
    ],
)
def test_a_model_does_not_listen_by_phrases(kind, recognizers, told):
    agent = Agent("ada", kind=kind, recognizer=recognizers, providers=MAIN)
    assert told in " ".join(deaf(agent))
    assert bool(told) == bool([*deaf(agent)])


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({}, []),
        ({"recognizer_stream": True}, []),
        ({"recognizer_turns": "server_vad", "recognizer_options": {"delay": "low"}},
         ["recognizer_turns", "recognizer_options"]),
        ({"recognizer_api": "realtime", "recognizer_turns": "server_vad",
          "recognizer_options": {"delay": "low"}}, []),
        ({"recognizer_api": "realtime", "recognizer_stream": True}, ["recognizer_stream"]),
    ],
)  # fmt: skip
def test_keys_that_do_nothing_are_told(keys, wrong):
    told = list(of_no_session("main", Account(recognizer_model="r", **keys)))
    assert [line.partition(": ")[0] for line in told] == [f"providers.main.{key}" for key in wrong]
    account = Account(recognizer_model="r", base_url="http://x", **keys)
    agent = Agent("ada", kind="model", recognizer=("main",), providers={"main": account})
    assert set(told) <= set(check(agent))
