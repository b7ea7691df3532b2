"""What a realtime provider says, utterance by utterance, and what the caller heard of each."""

from collections.abc import Callable
from dataclasses import dataclass

from opensip.agent.ledger import SLOWEST, Ledger


@dataclass(slots=True)
class Utterance:
    """One utterance: its words so far, its sound between two positions of the sink."""

    item: str
    text: str = ""
    start: int | None = None
    end: int = 0
    finished: bool = False  # no more sound of it will come

    def heard(self, played: int, rate: int) -> str:
        """Tell the words that were heard, rounded down, once so many samples were played.

        Words come ahead of their sound: of an unfinished utterance more is thought to come.
        """
        if self.start is None:
            return ""
        ledger = Ledger()
        text, samples = self.text.strip(), self.end - self.start
        still = 0 if self.finished else max(0, int(len(text) * SLOWEST * rate) - samples)
        ledger.add(text, self.start, samples, still=still)
        return ledger.heard(played)


class Utterances:
    """All that is being said. `told` gets each utterance once: what was meant, heard, and cut."""

    def __init__(self, told: Callable[[str, str, bool], None], rate: int) -> None:
        self._told = told
        self._rate = rate  # of the sink, in Hz
        self._open: dict[str, Utterance] = {}
        self._over: set[str] = set()

    def spoken(self, item: str, text: str) -> None:
        """Take words; of an utterance that was cut they are for nothing."""
        if item not in self._over:
            self._of(item).text += text

    def sounded(self, item: str, start: int, end: int) -> None:
        """Take the place of sound that was queued."""
        utterance = self._of(item)
        utterance.start = start if utterance.start is None else utterance.start
        utterance.end = end

    def finished(self, item: str) -> None:
        """All sound of an utterance is there."""
        if item not in self._over:
            self._of(item).finished = True

    def is_over(self, item: str) -> bool:
        """Tell whether an utterance was cut or heard to its end."""
        return item in self._over

    def heard_out(self, item: str) -> None:
        """All sound of an utterance has been played."""
        utterance = self._open.pop(item, None)
        if utterance is not None:
            self._over.add(item)
            text = utterance.text.strip()
            if text:
                self._told(text, text, False)

    def cut(self, played: int) -> list[tuple[str, int]]:
        """End all, with so many samples played.

        Returns of each that was not heard to its end how many samples of it were heard.
        """
        ended, self._open = self._open, {}
        cuts = []
        for item, utterance in ended.items():
            self._over.add(item)
            start = utterance.end if utterance.start is None else utterance.start
            if not utterance.finished or played < utterance.end:
                cuts.append((item, max(0, min(played, utterance.end) - start)))
            text = utterance.text.strip()
            if text:
                self._told(text, utterance.heard(played, self._rate), True)
        return cuts

    def _of(self, item: str) -> Utterance:
        return self._open.setdefault(item, Utterance(item))
