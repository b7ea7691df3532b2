"""The words of a recognizer that tells them as they come, each counted once. Pure."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class LiveWords:
    """What has been told of the present turn: final words, then words that may yet change.

    Words that were taken before they were final are left out when their final comes.
    """

    _finals: list[str] = field(default_factory=list)
    _partial: str = ""
    _taken: int = 0  # words of the next final that a turn has had already

    @property
    def text(self) -> str:
        """All words of the turn so far."""
        return " ".join(filter(None, (*self._finals, self._partial)))

    @property
    def final(self) -> bool:
        """Whether none of them will change."""
        return not self._partial

    def told(self, text: str, *, final: bool) -> None:
        """Take words: all that came since the last final ones."""
        rest = " ".join(text.split()[self._taken :])
        if final:
            self._finals += [rest] if rest else []
            self._partial, self._taken = "", 0
        else:
            self._partial = rest

    def take(self) -> str:
        """Give the words of the turn, which is over, and begin another."""
        text = self.text
        self._taken += len(self._partial.split())
        self._finals, self._partial = [], ""
        return text

    def give_back(self, text: str) -> None:
        """Have words that were taken stand before those of the present turn."""
        self._finals[:0] = [text] if text else []
