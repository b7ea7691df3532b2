import pytest

from opensip.agent.check_hearing import deaf
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
