"""Writes text as it is spoken: digits one by one, money, times, dates; clauses to breathe at."""

import datetime
import re
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from opensip.agent.definition import REPLIES, Agent
from opensip.agent.grammar import DIGIT_WORDS

_TIME = re.compile(r"\b(\d{1,2}):(\d\d)(?:\s?([ap])(?:\.m\.|m\b)|\b)", re.IGNORECASE)
_MONEY = re.compile(r"\$(\d+)(?:\.(\d\d))?")
_DATE = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b")
_CLAUSE = re.compile(r"(?<=[.!?;:])\s+|(?<=,)\s+(?=\S{4,})")
_SHORTEST_CLAUSE = 25  # characters; shorter ones sound chopped


def digits(value: object) -> str:
    """Speak each digit alone: "4217" is "four two one seven"."""
    return " ".join(DIGIT_WORDS[int(c)] if c.isdigit() and c.isascii() else c for c in str(value))


def time_of_day(hour: int, minute: int) -> str:
    """Speak a time of the 24-hour clock by the 12-hour clock."""
    if (hour, minute) in ((0, 0), (12, 0)):
        return "noon" if hour else "midnight"
    half = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    shown = (hour - 1) % 12 + 1
    past = "" if minute == 0 else f" oh {minute}" if minute < 10 else f" {minute}"
    return f"{shown}{past} {half}" if minute else f"{shown} o'clock {half}"


def money(dollars: int, cents: int) -> str:
    """Speak an amount of dollars and cents."""
    whole = f"{dollars} dollar{'' if dollars == 1 else 's'}"
    part = f"{cents} cent{'' if cents == 1 else 's'}"
    if not cents:
        return whole
    return f"{whole} and {part}" if dollars else part


def date(day: datetime.date) -> str:
    """Speak a date without its year: "March 3"."""
    return f"{day:%B} {day.day}"


def aloud(text: str) -> str:
    """Rewrite times (17:30), amounts ($12.50) and dates (2026-03-03) in a text to be spoken."""
    text = _MONEY.sub(lambda m: money(int(m[1]), int(m[2] or 0)), times(text))
    return dates(text)


def times(text: str) -> str:
    """Rewrite the times of a text: 17:30."""
    return _TIME.sub(_spoken_time, text)


def dates(text: str) -> str:
    """Rewrite the dates of a text: 2026-03-03."""
    return _DATE.sub(_spoken_date, text)


def clauses(text: str) -> list[str]:
    """Cut a text where a voice may pause, so that the first part can be heard early."""
    found: list[str] = []
    for part in _CLAUSE.split(text.strip()):
        if found and len(found[-1]) < _SHORTEST_CLAUSE:
            found[-1] = f"{found[-1]} {part}"
        elif part:
            found.append(part)
    return found


def apology(agent: Agent, *, alone: bool) -> str:
    """Say that something failed, and that a human takes over; where nobody can, to call again."""
    if alone:
        return f"{agent.reply('apology')} {agent.reply('call_again')}"
    who = agent.directory[agent.human].spoken
    return f"{agent.reply('apology')} {fill(agent.reply('escalate'), {'who': who})}"


def standing_words(agent: Agent) -> Iterator[str]:
    """Give what an agent says in the same words in every call, the greeting first."""
    texts = [agent.greeting, *agent.bridges, *map(agent.reply, REPLIES), *agent.idle_prompts]
    yield from (fill(text, {}) for text in texts if text and "{" not in text)


class Word(str):
    """A value in a template: {order} as it stands, {order:digits} digit by digit."""

    def __format__(self, spec: str) -> str:
        return digits(self) if spec == "digits" else format(str(self), spec)


class Row(SimpleNamespace):
    """A row of a table in a template: {orders.item}. A column that it has not is left out."""

    def __getattr__(self, name: str) -> "_Nothing":
        return _Nothing()


def fill(template: str, values: dict[str, Any]) -> str:
    """Fill a template. What is unknown is left out, for a caller must not hear braces."""
    return aloud(template.format_map(_Lenient(values)))


def fill_names(text: str, values: Mapping[str, str]) -> str:
    """Put values in place of {name}; what is unknown is left out, other braces stay."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], ""), text)


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> "_Nothing":
        return _Nothing()


class _Nothing(str):
    def __getattr__(self, name: str) -> "_Nothing":
        return self

    def __format__(self, spec: str) -> str:
        return ""


def _spoken_time(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    if found[3] and 1 <= hour <= 12:  # of the 12-hour clock
        hour = hour % 12 + (12 if found[3] in "pP" else 0)
    return time_of_day(hour, minute) if hour < 24 and minute < 60 else found[0]


def _spoken_date(found: re.Match[str]) -> str:
    try:
        return date(datetime.date(int(found[1]), int(found[2]), int(found[3])))
    except ValueError:
        return found[0]
