from opensip.agent.definition import Agent, Variant
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
