import pytest

from opensip.agent.definition import Agent
from opensip.agent.providers import PROVIDERS, factory, make
from opensip.errors import ConfigError

SCRIPTED = Agent(
    "test", recognizer=("scripted",), dialogue=("scripted",), synthesizer=("scripted", "scripted")
)


def test_each_list_of_an_agent_is_made_in_order():
    made = make(SCRIPTED)
    assert [len(part) for part in (made.recognizers, made.dialogues, made.synthesizers)] == [
        1,
        1,
        2,
    ]


@pytest.mark.parametrize(
    ("stage", "name"), [(stage, name) for stage, names in PROVIDERS.items() for name in names]
)
def test_every_entry_of_the_table_can_be_found(stage, name):
    assert callable(factory(stage, name))


def test_an_unknown_provider_is_named_with_the_known():
    with pytest.raises(
        ConfigError, match="no recognizer 'ears'; known are embedded, openai, scripted"
    ):
        factory("recognizer", "ears")
