import pytest

from opensip.agent.definition import Agent, ToolTable, Variant
from opensip.agent.tools import function
from opensip.carriers import Number, Trunk
from opensip.settings import talking


def test_an_agent_of_a_model_that_listens_by_phrases_is_warned_of():
    agent = Agent("ada", kind="model")
    [warning] = talking.warnings([agent])
    assert warning.startswith("agent ada: recognizer: 'embedded' understands only")


def test_a_wrong_voice_is_told_beside_other_mistakes():
    agent = Agent("ada", kind="modell", voice="bob", recognizer=("nobody",))
    known = ["kind: …", "recognizer: no provider 'nobody'"]
    [told] = talking.mistakes(agent, known, [])
    assert "voice: flite has no 'bob'" in told


def test_a_provider_that_nobody_knows_is_told_once_for_a_number_too():
    agent = Agent("shop", numbers={"+15553334444": Variant(synthesizer=("nobody",))})
    known = ["numbers.+15553334444.synthesizer: no provider 'nobody'"]
    assert not any("nobody" in told for told in talking.mistakes(agent, known, []))
    assert any("nobody" in told for told in talking.mistakes(agent, [], []))


def test_line_tests_need_nothing():
    assert [*talking.mistakes(Agent("echo", kind="echo"), [], [])] == []


@pytest.mark.parametrize(
    ("recording", "consent", "agent", "told"),
    [
        (True, "We record.", "echo", 1),
        (True, "We record.", "shop", 0),
        (True, "", "echo", 0),
        (False, "We record.", "echo", 0),
    ],
)
def test_who_cannot_ask_for_consent_is_told_of(recording, consent, agent, told):
    agents = {"echo": Agent("echo", kind="echo"), "shop": Agent("shop")}
    trunk = Trunk("t", numbers={"*": Number(agent, recording, consent)})
    assert len([*talking.unspoken(agents, [trunk])]) == told


def test_a_tool_of_which_a_model_learns_the_name_alone_is_warned_of(tmp_path):
    file = tmp_path / "tools.py"
    file.write_text("def mute(): pass\ndef told():\n    'Look it up.'\n")
    tables = {name: ToolTable(file=file) for name in ("mute", "told", "absent")}
    agent = Agent("ada", kind="model", tools=tables, recognizer=("main",))
    [warning] = [told for told in talking.warnings([agent]) if "tools." in told]
    assert warning.startswith("agent ada: tools.mute: the model is not told what it does")
    function.adopt()
    file.write_text("def mute():\n    'Say nothing.'\ndef told():\n    'Look it up.'\n")
    assert not [told for told in talking.warnings([agent]) if "tools." in told]  # of a reload
