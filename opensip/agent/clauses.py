"""Cuts the words of a model, as they come, into clauses that a voice can begin with. Pure.

The first clause of an answer is cut early, so that the caller hears something soon; later ones
are whole, because they sound better. Nothing is cut inside a link, a code block or a number.
"""

import re
from dataclasses import dataclass

FIRST_CHARACTERS = 12  # a shorter first clause sounds chopped, a longer one waits for the model
LATER_CHARACTERS = 40  # of a clause that ends with a comma; a sentence may be shorter
LONGEST = 240  # characters without any end: cut at a space, the caller has waited enough
_SENTENCE = re.compile(r"[.!?…]['\")\]]*\s+|\n+")
_CLAUSE = re.compile(r"[,;:\u2013\u2014]\s+|[.!?…]['\")\]]*\s+|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|No|Nr|vs|etc|e\.g|i\.e|z\.B|d\.h|Inc|Ltd|Co)|\b[A-Z]|^\s*\d+)\.\s+$"
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
                if found.end() >= least and self._may_end(self._text[: found.end()]):
                    return found.end()
        if len(self._text) > LONGEST and (space := self._text.rfind(" ", 0, LONGEST)) > 0:
            return None if _is_open(self._text) else space + 1
        return None

    def _may_end(self, clause: str) -> bool:
        if _is_open(clause) or _ABBREVIATION.search(clause):
            return False
        inside_link = clause.rfind("[") > clause.rfind("]") or clause.rfind("](") > clause.rfind(
            ")"
        )
        return not inside_link or len(clause) > LONGEST


def _is_open(text: str) -> bool:
    """Tell whether the text ends within what will not be said: code, or a model's thoughts."""
    return text.count(_FENCE) % 2 == 1 or text.count(_THINKS) > text.count(_THOUGHT)
