"""How written things are said in English: money, numbers, addresses, codes. Pure.

Other languages are left to the voice, which knows them better. Whole numbers of up to four digits
are left to it as well: only the voice's ear for the sentence tells a year from a count.
"""

import re

from opensip.agent.amounts import NUMBER, SIGN_FIRST, SIGN_LAST, amount
from opensip.agent.grammar import DIGIT_WORDS
from opensip.agent.spoken import dates, times
from opensip.agent.tongues import primary

_ONES = (*DIGIT_WORDS, "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen",
         "seventeen", "eighteen", "nineteen")  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ("", " thousand", " million", " billion", " trillion")
_LARGEST = 10**15  # beyond, a number is said digit by digit
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
             "nine": "ninth", "twelve": "twelfth"}  # fmt: skip
_SIGNS = {"@": " at ", ".": " dot ", "-": " dash ", "_": " underscore ", "+": " plus ",
          "/": " slash "}  # fmt: skip
_UNITS = {"km": "kilometers", "kg": "kilograms", "cm": "centimeters", "mm": "millimeters"}
_WRITTEN = re.compile(rf"({NUMBER})(?:\.(\d+))?")


def pronounced(text: str, language: str = "en") -> str:
    """Write `text` as it is to be said."""
    if primary(language) != "en":
        return dates(text, language)
    text = times(dates(text))
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return " ".join(text.split())


def cardinal(number: int) -> str:
    """Say a whole number from 0 up: 4217 is "four thousand two hundred seventeen"."""
    if number >= _LARGEST:
        return _digits(str(number))
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{_ONES[hundreds]} hundred" + (f" {cardinal(rest)}" if rest else "")
    parts, scale = [], 0
    while number:
        number, part = divmod(number, 1000)
        if part:
            parts.append(cardinal(part) + _SCALES[scale])
        scale += 1
    return " ".join(reversed(parts))


def ordinal(number: int) -> str:
    """Say a place in an order: 21 is "twenty-first"."""
    head, sign, last = _last_word(cardinal(number))
    if last in _ORDINALS:
        return f"{head}{sign}{_ORDINALS[last]}"
    ending = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return f"{head}{sign}{ending}"


def _last_word(words: str) -> tuple[str, str, str]:
    at = max(words.rfind(" "), words.rfind("-"))
    return (words[:at], words[at], words[at + 1 :]) if at >= 0 else ("", "", words)


def _digits(text: str) -> str:
    return " ".join(_ONES[int(c)] for c in text if c.isdigit())


def _money(found: re.Match[str]) -> str:
    return _WRITTEN.sub(_decimal, amount(found))


def _address(found: re.Match[str]) -> str:
    said = "".join(_SIGNS.get(c, c) for c in found[0])
    return re.sub(r"\d+", lambda number: f" {_digits(number[0])} ", said)


def _telephone(found: re.Match[str]) -> str:
    groups = [_digits(group) for group in re.findall(r"\d+", found[0])]
    return ("plus " if found[0].startswith("+") else "") + ", ".join(groups)


def _code(found: re.Match[str]) -> str:
    """Spell a code: letters and digits one by one."""
    parts = (_digits(c) if c.isdigit() else "dash" if c == "-" else c for c in found[0])
    return " ".join(parts)


def _decimal(found: re.Match[str]) -> str:
    whole = cardinal(int(found[1].replace(",", "")))
    return f"{whole} point {_digits(found[2])}" if found[2] else whole


def _grouped(found: re.Match[str]) -> str:
    return cardinal(int(found[0].replace(",", "")))


_RULES = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _address),
    (re.compile(r"\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|edu|gov|info|dev|app|ai)\b"), _address),
    (SIGN_FIRST, _money),
    (SIGN_LAST, _money),
    (re.compile(r"\+\d[\d ().-]{6,}\d|\(\d{3}\) ?\d{3}-\d{4}|\b\d{3}-\d{3}-\d{4}\b"), _telephone),
    (re.compile(r"\b(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9]+(?:-[A-Z0-9]+)*\b"), _code),
    (re.compile(r"\b(\d{1,18})(?:st|nd|rd|th)\b"), lambda found: ordinal(int(found[1]))),
    (re.compile(r"(?<=\d)\s?%"), " percent"),
    (re.compile(r"(?<=\d)\s?°\s?C\b"), " degrees Celsius"),
    (re.compile(r"(?<=\d)\s?°\s?F\b"), " degrees Fahrenheit"),
    (re.compile(r"(?<=\d)\s?(km|kg|cm|mm)\b"), lambda found: f" {_UNITS[found[1]]}"),
    (re.compile(rf"(?<![\d.,])({NUMBER})\.(\d+)(?![\d.]*\d)"), _decimal),
    (re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3}){1,5}(?![\d,])"), _grouped),
    (re.compile(r"(?<![\w.,])(?:0\d+|\d{5,})(?![\w])"), lambda found: _digits(found[0])),
    (re.compile(r"\s&\s"), " and "),
    (re.compile(r"#(?=\d)"), "number "),
)
