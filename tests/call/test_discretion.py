import pytest

from opensip import events as e
from opensip.call.discretion import discreet, without_context

INFO = "INFO sip:us@h SIP/2.0\r\nCSeq: 2 INFO\r\n\r\nSignal=7\r\nDuration=160\r\n"


@pytest.mark.parametrize(
    "event",
    [
        e.Dtmf(1.0, "7", 100, "info"),
        e.KeysPressed(1.0, "77", ""),
        e.CallerSaid(1.0, "secret 7", 0.9, "card", slots={"card": "7"}, way="dtmf"),
        e.AgentSaid(1.0, "secret 7", "secret 7"),
        e.FillerSaid(1.0, "secret 7", 5.0),
        e.ToolCalled(1.0, "pay", {"card": "7"}, {"last": "7"}, 5.0, "no card 7"),
        e.ConfirmationAsked(1.0, "pay", {"card": "7"}, "Pay with secret 7?"),
        e.ConfirmationEnded(1.0, "pay", {"card": "7"}, "confirmed"),
        e.ToolRefused(1.0, "pay", {"card": "7"}, "enough", 1),
        e.OutcomeNoted(1.0, "paid", "secret 7"),
        e.Escalated(1.0, "desk", "pay with secret 7", 0.5, "said secret 7"),
        e.ProviderFailed(1.0, "dialogue", "x", "400: secret 7"),
        e.Fault(1.0, "agent", "KeyError('7')"),
        e.KeysPressed(1.0, "77", "no key 7"),
        e.SipReceived(1.0, "UDP", "a", "b", INFO),
        e.SipSent(1.0, "UDP", "a", "b", INFO),
    ],
)
def test_nothing_that_was_told_is_left(event):
    kept = discreet(event)
    assert type(kept) is type(event)
    assert "7" not in str(kept)
    assert "secret" not in str(kept)
    assert kept.at == event.at


def test_all_else_stays_as_it_is():
    for event in (
        e.SipSent(1.0, "UDP", "a", "b", "BYE sip:7@h SIP/2.0\r\n\r\n"),
        e.Held(1.0, True),
        e.Fault(1.0, "recording", "17: the disk is full"),
    ):
        assert discreet(event) == event


def test_a_failure_without_words_stays_one():
    assert discreet(e.ToolCalled(1.0, "pay", {}, {}, 5.0)).error == ""
    assert discreet(e.KeysPressed(1.0, "1", "")).error == ""
    assert discreet(e.Escalated(1.0, "desk", "pay", 0.5, "")).why == ""


def test_what_is_handed_on_with_a_caller_is_left_out_of_messages():
    head = "REFER sip:7@h SIP/2.0\r\nr: <sip:desk@h?X-Opensip-Fields=secret>\r\n"
    headers = "X-Opensip-Summary: secret\r\nuser-to-user: 00secret;encoding=hex\r\nCSeq: 7 REFER"
    for keep_out in (discreet, without_context):
        kept = keep_out(e.SipSent(1.0, "UDP", "a", "b", f"{head}{headers}\r\n\r\nX-Body: 7"))
        assert kept.text == (
            "REFER sip:7@h SIP/2.0\r\nr: <sip:desk@h?(not recorded)>\r\n"
            "X-Opensip-Summary: (not recorded)\r\nuser-to-user: (not recorded)\r\nCSeq: 7 REFER"
            "\r\n\r\nX-Body: 7"
        )
    assert without_context(e.Held(1.0, True)) == e.Held(1.0, True)
