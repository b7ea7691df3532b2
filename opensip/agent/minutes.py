"""Keeps the minutes of a conversation: what was said, meant, looked up, and events of it."""

from collections.abc import Callable

from opensip.agent.conversation import Conversation
from opensip.agent.providers import (
    Act,
    Looked,
    Meant,
    Noted,
    Press,
    Prompted,
    Record,
    Transfer,
    Understood,
)
from opensip.agent.withheld import Asked, Refused, Settled, Withheld
from opensip.events import (
    CallerSaid,
    CallEvent,
    ConfirmationAsked,
    ConfirmationEnded,
    Escalated,
    ModelAnswered,
    Observer,
    OutcomeNoted,
    ToolCalled,
    ToolRefused,
)


class Minutes:
    """Writes the conversation of one call, and notes events.

    `press` presses keys; `record` lets the recording go on, or pause.
    """

    def __init__(
        self,
        observer: Observer,
        now: Callable[[], float],
        press: Callable[[str], None],
        record: Callable[[bool], None],
    ) -> None:
        self.conversation = Conversation()
        self._observer = observer
        self._now = now
        self._press = press
        self._record = record

    def agent_said(self, heard: str, *, interrupted: bool) -> None:
        """Write down what was heard of the agent."""
        self.conversation.agent_said(heard, at=self._now(), interrupted=interrupted)

    def caller_said(self, turn: Understood, meant: Meant | None) -> None:
        """Write down a turn of the caller, with how it was taken."""
        now = self._now()
        meant = meant or Meant("", 0.0)
        self._observer.note(
            CallerSaid(
                *(now, turn.text, turn.confidence, meant.intent),
                slots=meant.slots or None,
                way=turn.way,
                wish=meant.wish,
            )
        )
        self.conversation.caller_said(turn.text, at=now)

    def acted(self, act: Act) -> None:
        """Write down, or have done, what is neither said nor an end of the call."""
        now = self._now()
        match act:
            case Meant():
                if act.wish:
                    self.conversation.understood(act.wish, act.confidence)
                self.conversation.fields.update(act.slots)
            case Looked(name, arguments, result, seconds, error):
                self._observer.note(ToolCalled(now, name, arguments, result, seconds * 1000, error))
            case Prompted(provider, model, prompt, tokens_in, tokens_out):
                self._observer.note(
                    ModelAnswered(now, provider, model, prompt, tokens_in, tokens_out)
                )
            case Asked() | Settled() | Refused():
                self._observer.note(_withheld(now, act))
            case Press(digits):
                self._press(digits)
            case Record(on):
                self._record(on)
            case Noted(outcome, details):
                self.conversation.fields["outcome"] = outcome
                self._observer.note(OutcomeNoted(now, outcome, details))

    def failed(self, human: str, why: str) -> Transfer:
        """Hand over because something of ours failed; the human is told so."""
        return Transfer(human, "", 0.0, why, self.conversation.summary(why))

    def handed_over(self, last: Transfer) -> tuple[str, str]:
        """Write down that a human is wanted; returns the intent and the summary for them."""
        intent = last.intent or self.conversation.intent
        self._observer.note(Escalated(self._now(), last.target, intent, last.confidence, last.why))
        return intent, last.summary or self.conversation.summary()


def _withheld(now: float, act: Withheld) -> CallEvent:
    match act:
        case Asked(name, arguments, text, again):
            return ConfirmationAsked(now, name, arguments, text, again)
        case Settled(name, arguments, outcome):
            return ConfirmationEnded(now, name, arguments, outcome)
        case Refused(name, arguments, why, times):
            return ToolRefused(now, name, arguments, why, times)
