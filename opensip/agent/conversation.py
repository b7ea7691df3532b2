"""What was said in a call, as far as it was heard, and what came of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the "caller" or the "agent", begun at `at` (seconds, the loop's clock).

    An agent's `text` holds only what the caller heard of it.
    """

    speaker: str
    text: str
    at: float
    interrupted: bool = False


@dataclass(slots=True)
class Conversation:
    """The turns so far, the caller's wish, and the fields collected on the way."""

    turns: list[Turn] = field(default_factory=list)
    intent: str = ""
    confidence: float = 0.0
    fields: dict[str, str] = field(default_factory=dict)

    def caller_said(self, text: str, *, at: float) -> None:
        """Add a turn of the caller; where nothing was understood there is none."""
        if text:
            self.turns.append(Turn("caller", text, at))

    def agent_said(self, heard: str, *, at: float, interrupted: bool = False) -> None:
        """Add what was heard of a turn of the agent; what nobody heard is no turn."""
        if heard:
            self.turns.append(Turn("agent", heard, at, interrupted))

    def understood(self, intent: str, confidence: float) -> None:
        """Take note of what the caller wants."""
        self.intent, self.confidence = intent, confidence

    def transcript(self) -> str:
        """Write the turns as lines "caller: ..." and "agent: ..."; " --" marks a cut."""
        return "\n".join(
            f"{turn.speaker}: {turn.text}{' --' if turn.interrupted else ''}" for turn in self.turns
        )

    def summary(self, failure: str = "") -> str:
        """Tell in a sentence or two what a human who takes over must know.

        `failure` says what of ours failed, so that nobody takes the caller for hard to understand.
        """
        wishes = [turn.text for turn in self.turns if turn.speaker == "caller"]
        parts = [f"A service of ours failed, not the caller: {failure}."] if failure else []
        parts += [f"Wants: {self.intent.replace('_', ' ')}."] if self.intent else []
        parts += [f"{name}: {value}." for name, value in self.fields.items()]
        if wishes:
            parts.append(f"Last said: {wishes[-1]!r}.")
        return " ".join(parts) or "Nothing was understood."
