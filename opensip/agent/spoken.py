"""Writes text as it is spoken: digits one by one, money, times, dates."""

import datetime
import re
import string
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

from opensip.agent.amounts import SIGN_FIRST, amount
from opensip.agent.definition import Agent
from opensip.agent.plain import writable
from opensip.agent.replies import REPLIES
from opensip.agent.tongues import date, digits, primary

_CLOCK = r"(?<![\w:])(\d{1,2}):(\d\d)(?!:?\d)(?:\s?([ap])(?:\.m\.|m\b)|\b)"
_TIMES = re.compile(  # one, or two that are the ends of a span
    rf"{_CLOCK}(?:(?P<to>\s?[-\u2013\u2014]\s?|\s(?:to|until|till|through)\s){_CLOCK})?",
    re.IGNORECASE,
)
_DATE = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")


def time_of_day(hour: int, minute: int) -> str:
    """Speak a time of the 24-hour clock by the 12-hour clock."""
    if (hour, minute) in ((0, 0), (12, 0)):
        return "noon" if hour else "midnight"
    half = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    return f"{clock_time(hour, minute)} {half}"


def clock_time(hour: int, minute: int) -> str:
    """Speak a time of the 12-hour clock, of which half of the day it may be: 5:30 is "5 30"."""
    past = "o'clock" if minute == 0 else f"oh {minute}" if minute < 10 else f"{minute}"
    return f"{(hour - 1) % 12 + 1} {past}"


def aloud(text: str, language: str = "en") -> str:
    """Rewrite times (17:30), amounts ($12.50) and dates (2026-03-03) in a text to be spoken.

    How people write and say amounts in other currencies depends on their language: the voice does,
    and in any other language than English it does so for times and dollars, too.
    """
    if primary(language) != "en":
        return dates(text, language)
    text = SIGN_FIRST.sub(lambda m: amount(m) if m["sign"] == "$" else m[0], times(text))
    return dates(text)


def times(text: str) -> str:
    """Rewrite the times of a text: 17:30, 5:30 pm, 9:00-17:00.

    The half of the day is said only where it is written: from 13:00 on, before 1:00, or by am and
    pm. The two ends of a span are of the same clock.
    """
    return _TIMES.sub(_spoken_times, text)


def dates(text: str, language: str = "en") -> str:
    """Rewrite the dates of a text: 2026-03-03."""
    return _DATE.sub(lambda found: _spoken_date(found, language), text)


def apology(agent: Agent, *, alone: bool) -> str:
    """Say that something failed, and that a human takes over; where nobody can, to call again."""
    if alone:
        return f"{agent.reply('apology')} {agent.reply('call_again')}"
    who = agent.directory[agent.human].spoken
    return f"{agent.reply('apology')} {fill(agent.reply('escalate'), {'who': who}, agent.language)}"


def standing_words(agent: Agent) -> Iterator[str]:
    """Give what an agent says in the same words in every call, the greeting first."""
    texts = [agent.greeting, *agent.bridges, *map(agent.reply, REPLIES), *agent.idle_prompts]
    yield from (fill(text, {}, agent.language) for text in texts if text and "{" not in text)


class Row(SimpleNamespace):
    """A row of a table in a template: {orders.item}. A column that it has not is left out."""

    def __getattr__(self, name: str) -> "_Nothing":
        return _Nothing()


def fill(template: str, values: dict[str, Any], language: str = "en") -> str:
    """Fill a template. What is unknown is left out, for a caller must not hear braces."""
    return aloud(writable(_Form(language).vformat(template, (), _Lenient(values))), language)


def formed(value: object, spec: str, language: str = "en") -> str:
    """Write a value of a template: {order} as it stands, {order:digits} digit by digit.

    Raises ValueError where a `spec` means nothing.
    """
    return digits(value, language) if spec == "digits" else format(value, spec)


def fill_names(text: str, values: Mapping[str, str]) -> str:
    """Put values in place of {name}; what is unknown is left out, other braces stay."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], ""), text)


class _Form(string.Formatter):
    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        return formed(value, format_spec, self._language)


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> "_Nothing":
        return _Nothing()


class _Nothing(str):
    def __getattr__(self, name: str) -> "_Nothing":
        return self

    def __format__(self, spec: str) -> str:
        return ""


class _Time(NamedTuple):
    """A time; `hour` is of the 24-hour clock where `known`. `half`: it has am or pm."""

    hour: int
    minute: int
    known: bool
    half: bool = False

    @property
    def spoken(self) -> str:
        return (time_of_day if self.known else clock_time)(self.hour, self.minute)


def _time(hour: int, minute: int, half: str | None) -> _Time | None:
    """Read a time; None where it is none."""
    if hour > 23 or minute > 59:
        return None
    if half and 1 <= hour <= 12:
        return _Time(hour % 12 + (12 if half in "pP" else 0), minute, known=True, half=True)
    return _Time(hour, minute, known=hour == 0 or hour > 12)


def _spoken_times(found: re.Match[str]) -> str:
    first = _time(int(found[1]), int(found[2]), found[3])
    if not found["to"]:
        return first.spoken if first else found[0]
    last = _time(int(found[5]), int(found[6]), found[7])
    if not (first and last):
        return found[0]
    if first.known and not first.half:
        last = last._replace(known=True)
    word = found["to"].strip()
    return f"{_begun(first, last).spoken} {word if word.isalpha() else 'to'} {last.spoken}"


def _begun(first: _Time, last: _Time) -> _Time:
    """Tell when a span begins whose end may tell the half of the day: 11:30 to 1:00 PM."""
    if first.known or not last.known:
        return first
    if not last.half:
        return first._replace(known=True)
    for hour in (first.hour % 12 + 12, first.hour % 12):
        begun = first._replace(hour=hour, known=True)
        if begun[:2] < last[:2]:
            return begun
    return first._replace(hour=first.hour % 12 + 12, known=True)  # of the day before


def _spoken_date(found: re.Match[str], language: str) -> str:
    try:
        return date(datetime.date(int(found[1]), int(found[2]), int(found[3])), language)
    except ValueError:
        return found[0]
