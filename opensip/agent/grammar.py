"""Phrases that a caller may say: a small finite grammar, written for recognizers and for matching.

    where is my (order | package) [please]      words, choices in (), options in []
    my number is <digits:4>                     four spoken digits

A phrase is at once a rule for a recognizer (JSGF) and a pattern for the text it gives back.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGITS = {word: str(value) for value, word in enumerate(DIGIT_WORDS)} | {"oh": "0"}
_MAX_DIGITS = 16  # a longer run is no number that a caller says in one breath
_SPOKEN = re.compile(r"[^\W\d_](?:[^\W\d_]|')*|[0-9]")
_TOKEN = re.compile(r"\s*(?:([a-z][a-z']*)|<digits:(\d+)>|([()\[\]|]))")


class PhraseError(ValueError):
    """A phrase does not follow the grammar of this module; the message names the place."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as written, as a JSGF expansion, and as a pattern over words."""

    text: str
    jsgf: str
    pattern: re.Pattern[str]


def parse(text: str) -> Phrase:
    """Parse one phrase. Raises PhraseError."""
    jsgf, pattern, closers = [], [], []
    for word, digits, sign in _tokens(text):
        if word:
            jsgf.append(word)
            pattern.append(f"{word} ")
        elif digits:
            jsgf.append(" ".join(["<digit>"] * _count(digits, text)))
            pattern.append(rf"(?P<digits>(?:(?:{'|'.join(_DIGITS)}) ){{{digits}}})")
        elif sign in "([":
            closers.append(")" if sign == "(" else "]")
            jsgf.append(sign)
            pattern.append("(?:")
        elif sign == "|":
            jsgf.append(sign)
            pattern.append(sign)
        elif not closers or closers.pop() != sign:
            raise PhraseError(f"{sign!r} closes nothing in {text!r}")
        else:
            jsgf.append(sign)
            pattern.append(")" if sign == ")" else ")?")
    if closers:
        raise PhraseError(f"{closers[-1]!r} is missing in {text!r}")
    try:
        return Phrase(text, " ".join(jsgf), re.compile(f"(?:{''.join(pattern)})"))
    except re.error as error:
        raise PhraseError(f"{text!r}: {error}") from None


def words_of(phrase: Phrase) -> frozenset[str]:
    """Tell every word that the phrase may hold, digits aside."""
    return frozenset(re.findall(r"[a-z][a-z']*", phrase.jsgf.replace("<digit>", "")))


def match(phrases: Iterable[Phrase], text: str) -> re.Match[str] | None:
    """Find the first phrase that is the whole of `text`, as said or as written: 42 is "four two".

    A last word too many is left out: a recognizer that has begun a longer phrase may add one.
    """
    written = _SPOKEN.findall(text.lower().replace("\u2019", "'"))
    words = [DIGIT_WORDS[int(word)] if word.isdigit() else word for word in written]
    phrases = tuple(phrases)
    for part in (words, words[:-1]):
        padded = "".join(f"{word} " for word in part)
        if found := next((f for p in phrases if (f := p.pattern.fullmatch(padded))), None):
            return found
    return None


def digits_in(text: str) -> str:
    """Read spoken digits: "four two oh" is "420". Words that are no digits are left out."""
    return "".join(_DIGITS.get(word, word if word.isdigit() else "") for word in text.split())


def to_jsgf(phrases: Iterable[Phrase]) -> str:
    """Write the phrases as one JSGF grammar whose only public rule is their choice."""
    choices = " | ".join(f"( {phrase.jsgf} )" for phrase in phrases)
    digit = " | ".join(_DIGITS)
    return f"#JSGF V1.0;\ngrammar turn;\n<digit> = {digit};\npublic <turn> = {choices};\n"


def _count(digits: str, text: str) -> int:
    if not 1 <= int(digits) <= _MAX_DIGITS:
        raise PhraseError(f"<digits:{digits}> wants 1 to {_MAX_DIGITS} in {text!r}")
    return int(digits)


def _tokens(text: str) -> Iterator[tuple[str, str, str]]:
    at, text = 0, text.lower().strip()
    if not text:
        raise PhraseError("a phrase is empty")
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise PhraseError(f"{text[at:]!r} cannot be read in {text!r}: words, (a | b), [a] only")
        yield found[1] or "", found[2] or "", found[3] or ""
        at = found.end()
