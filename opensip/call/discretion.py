"""What the books say of a time in which the recording is paused: that it was, not what was told."""

import re
from dataclasses import replace

from opensip.events import (
    AgentSaid,
    CallerSaid,
    CallEvent,
    ConfirmationAsked,
    ConfirmationEnded,
    Dtmf,
    Escalated,
    Fault,
    FillerSaid,
    KeysPressed,
    OutcomeNoted,
    ProviderFailed,
    SipReceived,
    SipSent,
    ToolCalled,
    ToolRefused,
)

KEPT_OUT = "(not recorded)"  # in place of words
KEY = "x"  # in place of a digit
_WORDLESS = ("media", "recording", "journal")  # faults that know nothing of what was told
# What is handed on with a caller: in headers, or in those that a Refer-To has for the next INVITE.
_CONTEXT = re.compile(r"^(X-[^:\r\n]*|User-to-User)(\s*):[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_REFER_TO = re.compile(r"^((?:Refer-To|r)\s*:[^?\r\n]*\?)[^\r\n]*", re.IGNORECASE | re.MULTILINE)


def discreet(event: CallEvent) -> CallEvent:
    """Take words, digits and what tools were given and gave out of an event of a pause."""
    match event:
        case Dtmf():
            return replace(event, digit=KEY)
        case KeysPressed():
            return replace(event, digits=KEY * len(event.digits), error=_without(event.error))
        case SipReceived() | SipSent() if event.text.startswith("INFO "):
            # Its body is a key that was pressed (RFC 6086 says what else).
            head, _, _ = event.text.partition("\r\n\r\n")
            return replace(event, text=f"{head}\r\n\r\n{KEPT_OUT}")
        case SipReceived() | SipSent():
            return without_context(event)
    return _wordless(event)


def _wordless(event: CallEvent) -> CallEvent:
    """Take out what is said, understood and done, and what errors repeat of it."""
    kept: CallEvent = event
    match event:
        case CallerSaid():
            kept = replace(event, text=KEPT_OUT, slots=None)
        case AgentSaid():
            kept = replace(event, text=KEPT_OUT, heard=KEPT_OUT)
        case FillerSaid():
            kept = replace(event, text=KEPT_OUT)
        case ToolCalled() | ToolRefused() | ConfirmationAsked() | ConfirmationEnded():
            kept = _of_a_tool(event)
        case OutcomeNoted():
            kept = replace(event, details=_without(event.details))
        case Escalated():  # "": what was wanted before the pause still stands
            kept = replace(event, intent="", why=_without(event.why))
        case ProviderFailed():
            kept = replace(event, error=_without(event.error))
        case Fault() if event.where not in _WORDLESS:
            kept = replace(event, error=_without(event.error))
    return kept


def _of_a_tool(
    event: ToolCalled | ToolRefused | ConfirmationAsked | ConfirmationEnded,
) -> CallEvent:
    match event:
        case ToolCalled():
            error = _without(event.error)
            return replace(event, arguments={}, result=KEPT_OUT, error=error)
        case ConfirmationAsked():
            return replace(event, arguments={}, text=KEPT_OUT)
    return replace(event, arguments={})


def without_context(event: CallEvent) -> CallEvent:
    """Take what is handed on of a caller out of a message: it may repeat what a pause kept out."""
    match event:
        case SipReceived() | SipSent():
            head, gap, body = event.text.partition("\r\n\r\n")
            head = _CONTEXT.sub(rf"\1\2: {KEPT_OUT}", head)
            head = _REFER_TO.sub(rf"\1{KEPT_OUT}>", head)
            return replace(event, text=head + gap + body)
    return event


def _without(words: str) -> str:
    return KEPT_OUT if words else ""
