import pytest

from opensip import events as e
from opensip.call.discretion import discreet

INFO = "INFO sip:us@h SIP/2.0\r\nCSeq: 2 INFO\r\n\r\nSignal=7\r\nDuration=160\r\n"


@pytest.mark.parametrize(
    "event",
    [
        e.Dtmf(1.0, "7", 100, "info"),
        e.KeysPressed(1.0, "77", ""),
        e.CallerSaid(1.0, "secret 7", 0.9, "card", slots={"card": "7"}, way="dtmf"),
        e.AgentSaid(1.0, "secret 7", "secret 7"),
        e.ToolCalled(1.0, "pay", {"card": "7"}, {"last": "7"}, 5.0),
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
    ):
        assert discreet(event) == event
