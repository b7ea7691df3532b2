"""What of the agent's words the caller heard, to the sample and rounded down to a word."""

from dataclasses import dataclass, field
from typing import NamedTuple

SLOWEST = 0.09  # seconds a character: no voice that answers the telephone speaks slower
Marks = tuple[int, ...]  # positions of the sink at which the words of a span end, one a word


class Span(NamedTuple):
    """A run of text and the samples that speak it: positions `start` to `end` of the sink.

    `must_be_heard` says that nobody may interrupt it; `still` is how many samples are thought to
    come yet.
    """

    text: str
    start: int
    end: int
    marks: Marks = ()
    must_be_heard: bool = False
    still: int = 0


@dataclass(slots=True)
class Ledger:
    """The spans of one answer, in the order in which they are played.

    Where the voice marks its words, a word was heard when its mark was played. Without marks a
    word's place is estimated by its share of the characters of its span.
    """

    spans: list[Span] = field(default_factory=list)

    def add(
        self,
        text: str,
        start: int,
        samples: int,
        *,
        marks: Marks = (),
        must_be_heard: bool = False,
        still: int = 0,
    ) -> None:
        """Book samples written at `start`. Samples of the last span's text make it longer.

        `still` more of a new span are thought to come, until `whole` tells that all have.
        """
        end, last = start + samples, self.spans[-1] if self.spans else None
        if last and not text:
            still = max(0, last.still - samples)
            self.spans[-1] = last._replace(end=end, marks=last.marks + marks, still=still)
        else:
            self.spans.append(Span(text, start, end, marks, must_be_heard, still))

    def whole(self) -> None:
        """Book that no more samples of the last span will come."""
        if self.spans:
            self.spans[-1] = self.spans[-1]._replace(still=0)

    def must_be_heard(self, played: int) -> bool:
        """Tell whether what is to be played next may not be interrupted."""
        return any(s.must_be_heard and s.start <= played < s.end for s in self.spans)

    def cut(self, words: int) -> None:
        """Book that the last span broke off: only so many of its words were said."""
        if self.spans:
            last = self.spans[-1]
            text = " ".join(last.text.split()[:words])
            self.spans[-1] = last._replace(text=text, still=0, marks=last.marks[:words])

    def bridge(self, start: int, samples: int) -> None:
        """Book samples that are no part of the answer: nobody is said to have heard them."""
        self.spans.append(Span("", start, start + samples))

    @property
    def said(self) -> str:
        """The text of all spans."""
        return " ".join(span.text for span in self.spans)

    def asked(self, since: int, played: int) -> bool:
        """Tell whether a question ends within the words heard from `since` to `played`."""
        return any("?" in span.text for span in self.spans) and "?" in self.between(since, played)

    def between(self, since: int, played: int) -> str:
        """Tell the words that were heard by `played`, less those that were by `since`."""
        return self.heard(played)[len(self.heard(since)) :]

    def heard(self, played: int) -> str:
        """Tell the words whose last sample is among the first `played` samples of the sink."""
        words: list[str] = []
        for span in self.spans:
            words += _words_heard(span, played)
        return " ".join(words)


def _words_heard(span: Span, played: int) -> list[str]:
    words = span.text.split()
    end = span.end + span.still
    if played >= end:
        return words
    if span.marks:  # of as many words as the voice said: "$5" is two
        done = sum(mark <= played for mark in span.marks)
        return words[: done * len(words) // max(len(span.marks), len(words))]
    total, done, heard = max(len(" ".join(words)), 1), -1, []
    for word in words:
        done += len(word) + 1
        if span.start + (end - span.start) * done / total > played:
            break
        heard.append(word)
    return heard
