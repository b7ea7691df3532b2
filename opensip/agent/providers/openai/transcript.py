"""The words of a transcription session, stretch by stretch, in the order of speech. Pure.

A stretch ("item") is what lies between two commits of the server's buffer of audio. Its words come
bit by bit, then whole; those of a later stretch may be whole before those of an earlier one.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Transcript:
    """All stretches whose whole words were not yet taken."""

    _order: list[str] = field(default_factory=list)  # committed, the oldest first
    _words: dict[str, str] = field(default_factory=dict)
    _whole: set[str] = field(default_factory=set)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The stretches that are over and whose words were not yet taken."""
        return tuple(self._order)

    @property
    def partial(self) -> str:
        """All words that may yet change, or wait for words before them."""
        begun = (item for item in self._words if item not in self._order)
        texts = (self._words.get(item, "").strip() for item in (*self._order, *begun))
        return " ".join(filter(None, texts))

    def committed(self, item: str) -> None:
        """A stretch is over. A stretch before it that never was is forgotten, with its words."""
        if item not in self._order:
            self._order.append(item)
        for other in [one for one in self._words if one not in self._order]:
            del self._words[other]

    def told(self, item: str, more: str) -> None:
        """More words came of a stretch."""
        if item not in self._whole:
            self._words[item] = self._words.get(item, "") + more

    def completed(self, item: str, text: str) -> list[str]:
        """All words of a stretch are there; gives the texts that are final by that, in order."""
        if item not in self._order:
            self._order.append(item)
        self._words[item] = text
        self._whole.add(item)
        finals = []
        while self._order and self._order[0] in self._whole:
            first = self._order.pop(0)
            self._whole.discard(first)
            finals.append(" ".join(self._words.pop(first).split()))
        return finals
