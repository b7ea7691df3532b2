from opensip.agent.minutes import Minutes
from opensip.agent.providers import (
    Looked,
    Meant,
    Noted,
    Press,
    Prompted,
    Record,
    Transfer,
    Understood,
)
from opensip.agent.withheld import Asked, Refused, Settled
from opensip.events import (
    CallerSaid,
    ConfirmationAsked,
    ConfirmationEnded,
    Escalated,
    ModelAnswered,
    OutcomeNoted,
    ToolCalled,
    ToolRefused,
)
from tests.fakes.line import Noted as Observed


def test_what_is_said_and_done_is_written_down_and_noted():
    observed = Observed()
    pressed, recorded = [], []
    minutes = Minutes(observed, lambda: 5.0, pressed.append, recorded.append)
    minutes.caller_said(
        Understood("where is it", 0.8), Meant("order", 0.9, "order_status", {"n": "4"})
    )
    minutes.acted(Meant("order", 0.9, "order_status", {"n": "4"}))
    minutes.acted(Looked("find", {"n": "4"}, {"item": "lamp"}, 0.2))
    minutes.acted(Prompted("main", "m-1", "abcd", 5, 2))
    minutes.acted(Noted("resolved", "found"))
    minutes.acted(Asked("pay", {"n": "4"}, "May I?", again=True))
    minutes.acted(Settled("pay", {"n": "4"}, "confirmed"))
    minutes.acted(Refused("find", {}, "enough", 2))
    minutes.acted(Press("12#"))
    minutes.acted(Record(False))
    assert (pressed, recorded) == (["12#"], [False])
    minutes.agent_said("It is", interrupted=True)
    assert minutes.conversation.transcript() == "caller: where is it\nagent: It is --"
    assert minutes.conversation.fields == {"n": "4", "outcome": "resolved"}
    assert observed.of(CallerSaid)[0].intent == "order"
    assert observed.of(CallerSaid)[0].wish == "order_status"
    assert observed.of(ToolCalled)[0].duration_ms == 200
    assert observed.of(ModelAnswered) == [ModelAnswered(5.0, "main", "m-1", "abcd", 5, 2)]
    assert observed.of(ConfirmationAsked)[0].text == "May I?"
    assert observed.of(ConfirmationEnded)[0].outcome == "confirmed"
    assert observed.of(ToolRefused) == [ToolRefused(5.0, "find", {}, "enough", 2)]
    assert observed.of(OutcomeNoted) == [OutcomeNoted(5.0, "resolved", "found")]


def test_a_human_is_told_what_the_model_or_the_conversation_knows():
    observed = Observed()
    minutes = Minutes(observed, lambda: 5.0, print, print)
    minutes.acted(Meant("order", 0.9, "order_status"))
    intent, summary = minutes.handed_over(Transfer("human", "", 0.0, "asked"))
    assert (intent, summary) == ("order_status", "Wants: order status.")
    assert minutes.handed_over(Transfer("human", "bill", 1.0, "asked", "He paid twice.")) == (
        "bill", "He paid twice.",
    )  # fmt: skip
    assert [event.intent for event in observed.of(Escalated)] == ["order_status", "bill"]
