"""Cuts text into clauses that a voice can begin with: a model's as it comes, or whole. Pure.

The first clause of an answer is cut early, so that the caller hears something soon; later ones
are whole, because they sound better. Nothing is cut inside a link, a code block, a number, a date
or after an abbreviation.
"""

import re
from dataclasses import dataclass

FIRST_CHARACTERS = 12  # a shorter first clause sounds chopped, a longer one waits for the model
LATER_CHARACTERS = 40  # of a clause that ends with a comma; a sentence may be shorter
LONGEST = 240  # characters without any end: cut at a space, the caller has waited enough
_SENTENCE = re.compile(r"[.!?…]['\")\]]*\s+|\n+")
_CLAUSE = re.compile(r"[,;:\u2013\u2014]\s+|[.!?…]['\")\]]*\s+|\n+")
_PAUSE = re.compile(r"(?<=[.!?;:])\s+|(?<=,)\s+(?=\S{4,})")  # of a text that is there as a whole
_SHORTEST = 25  # characters of a clause of such a text; shorter ones sound chopped
_UNENDED = re.compile(  # a sentence that goes on: an abbreviation, a list's number, a day's year
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Jr|Sr|St|Ave|Rd|Blvd|No|Nr|vs|etc|e\.g|i\.e|z\.B|d\.h|Inc|Ltd|Co"
    r"|[ap]\.m|Jan|Feb|Aug|Sept?|Oct|Nov|Dec|[A-Z])|^\s*\d+)\.\s+$"
    r"|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s\d{1,2}(?:st|nd|rd|th)?,\s+$"
)
_FENCE, _THINKS, _THOUGHT = "```", "<think>", "</think>"


@dataclass(slots=True)
class ClauseCutter:
    """Takes pieces of text, gives clauses of the text as it was written."""

    _text: str = ""
    _given: int = 0  # clauses so far

    def push(self, piece: str) -> list[str]:
        """Take a piece; give the clauses that are complete by it."""
        self._text += piece
        found = []
        while (end := self._end()) is not None:
            clause, self._text = self._text[:end], self._text[end:]
            if clause.strip():
                found.append(clause)
                self._given += 1
        return found

    def flush(self) -> list[str]:
        """Give what is left: the answer is over."""
        clause, self._text = self._text, ""
        return [clause] if clause.strip() else []

    def _end(self) -> int | None:
        first = self._given == 0
        ends = _CLAUSE if first else _SENTENCE
        for pattern, least in ((ends, FIRST_CHARACTERS), (_CLAUSE, LATER_CHARACTERS)):
            for found in pattern.finditer(self._text):
                if found.end() >= least and _may_end(self._text[: found.end()]):
                    return found.end()
        if len(self._text) > LONGEST and (space := self._text.rfind(" ", 0, LONGEST)) > 0:
            return None if _is_open(self._text) else space + 1
        return None


def clauses(text: str) -> list[str]:
    """Cut a whole text where a voice may pause, so that the first part can be heard early."""
    found: list[str] = []
    for part in _PAUSE.split(text.strip()):
        if found and (len(found[-1]) < _SHORTEST or not _may_end(f"{found[-1]} ")):
            found[-1] = f"{found[-1]} {part}"
        elif part:
            found.append(part)
    return found


def _may_end(clause: str) -> bool:
    """Tell whether a clause, with the blank that follows it, may be spoken alone."""
    if _is_open(clause) or _UNENDED.search(clause):
        return False
    inside_link = clause.rfind("[") > clause.rfind("]") or clause.rfind("](") > clause.rfind(")")
    return not inside_link or len(clause) > LONGEST


def _is_open(text: str) -> bool:
    """Tell whether the text ends within what will not be said: code, or a model's thoughts."""
    return text.count(_FENCE) % 2 == 1 or text.count(_THINKS) > text.count(_THOUGHT)
