"""What the books say of a time in which the recording is paused: that it was, not what was told."""

from dataclasses import replace

from opensip.events import (
    AgentSaid,
    CallerSaid,
    CallEvent,
    Dtmf,
    KeysPressed,
    SipReceived,
    SipSent,
    ToolCalled,
)

KEPT_OUT = "(not recorded)"  # in place of words
KEY = "x"  # in place of a digit


def discreet(event: CallEvent) -> CallEvent:
    """Take words, digits and what tools were given and gave out of an event."""
    kept: CallEvent = event
    match event:
        case Dtmf():
            kept = replace(event, digit=KEY)
        case KeysPressed():
            kept = replace(event, digits=KEY * len(event.digits))
        case CallerSaid():
            kept = replace(event, text=KEPT_OUT, slots=None)
        case AgentSaid():
            kept = replace(event, text=KEPT_OUT, heard=KEPT_OUT)
        case ToolCalled():
            kept = replace(event, arguments={}, result=KEPT_OUT)
        case SipReceived() | SipSent() if event.text.startswith("INFO "):
            # Its body is a key that was pressed (RFC 6086 says what else).
            head, _, _ = event.text.partition("\r\n\r\n")
            kept = replace(event, text=f"{head}\r\n\r\n{KEPT_OUT}")
    return kept
