"""What of the agent's words the caller heard, to the sample and rounded down to a word."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text and the samples that speak it: positions `start` to `end` of the sink."""

    text: str
    start: int
    end: int


@dataclass(slots=True)
class Ledger:
    """The spans of one answer, in the order in which they are played.

    Without word marks of the provider a word's place is estimated by its share of the
    characters of its span.
    """

    spans: list[Span] = field(default_factory=list)

    def add(self, text: str, start: int, samples: int) -> None:
        """Book samples written at `start`. Samples of the last span's text make it longer."""
        last = self.spans[-1] if self.spans else None
        if last and not text:
            self.spans[-1] = Span(last.text, last.start, start + samples)
        else:
            self.spans.append(Span(text, start, start + samples))

    def bridge(self, start: int, samples: int) -> None:
        """Book samples that are no part of the answer: nobody is said to have heard them."""
        self.spans.append(Span("", start, start + samples))

    @property
    def said(self) -> str:
        """The text of all spans."""
        return " ".join(span.text for span in self.spans)

    def heard(self, played: int) -> str:
        """Tell the words whose last sample is among the first `played` samples of the sink."""
        words: list[str] = []
        for span in self.spans:
            words += _words_heard(span, played)
        return " ".join(words)


def _words_heard(span: Span, played: int) -> list[str]:
    words = span.text.split()
    if played >= span.end:
        return words
    total, done, heard = max(len(" ".join(words)), 1), -1, []
    for word in words:
        done += len(word) + 1
        if span.start + (span.end - span.start) * done / total > played:
            break
        heard.append(word)
    return heard
