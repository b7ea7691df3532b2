from opensip.agent.conversation import Conversation, Turn


def test_the_transcript_holds_what_was_heard_and_marks_a_cut():
    talk = Conversation()
    talk.agent_said("Hello.", at=1.0)
    talk.caller_said("where is my order", at=2.0)
    talk.agent_said("Please say", at=3.0, interrupted=True)
    talk.agent_said("", at=4.0, interrupted=True)
    assert talk.turns[-1] == Turn("agent", "Please say", 3.0, True)
    assert talk.transcript() == "agent: Hello.\ncaller: where is my order\nagent: Please say --"


def test_the_summary_tells_wish_fields_and_last_words():
    talk = Conversation()
    assert talk.summary() == "Nothing was understood."
    talk.caller_said("", at=1.0)
    assert talk.turns == []
    why = "A service of ours failed, not the caller: no recognizer is left."
    assert talk.summary("no recognizer is left") == why
    talk.understood("order_status", 0.8)
    talk.fields["order"] = "4217"
    talk.caller_said("agent please", at=2.0)
    assert talk.summary() == "Wants: order status. order: 4217. Last said: 'agent please'."
