"""Amounts of money as they are said: $1,234.50, $5k, €1.5 million, 12.50 €. Pure.

Their numbers stay digits, with a comma at each thousand; agent/pronounced.py makes them words.
"""

import re

# Groups of three, or none. Longer ones are no count of anything, and Python reads them slowly.
NUMBER = r"\d{1,3}(?:,\d{3}){1,5}(?!\d)|\d{1,18}(?!\d)"
_CURRENCIES = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny")}
_PENCE = {"penny": "pence"}
_SCALES = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}
_AMOUNT = (
    rf"(?P<whole>{NUMBER})(?:\.(?P<part>\d+))?"
    r"(?P<scale>\s(?:thousand|million|billion|trillion)\b|(?:bn|[kmb])\b)?"
)
SIGN_FIRST = re.compile(rf"(?P<sign>[$€£])\s?{_AMOUNT}(?![a-z]|[.,]?\d)", re.IGNORECASE)
SIGN_LAST = re.compile(rf"(?<![\d.,]){_AMOUNT}\s?(?P<sign>[€£])", re.IGNORECASE)


def amount(found: re.Match[str]) -> str:
    """Say an amount that SIGN_FIRST or SIGN_LAST has found."""
    unit, small = _CURRENCIES[found["sign"]]
    whole, part = int(found["whole"].replace(",", "")), found["part"] or ""
    scale = (found["scale"] or "").strip().lower()
    if scale or len(part) > 2:  # of a cent there are no parts: 3.499 is said as it is written
        number = f"{whole:,}.{part}" if part else f"{whole:,}"
        return " ".join(filter(None, (number, _SCALES.get(scale, scale), f"{unit}s")))
    cents = int(part.ljust(2, "0"))
    large = _counted(whole, unit)
    if not cents:
        return large
    said = _counted(cents, small)
    return f"{large} and {said}" if whole else said


def _counted(number: int, unit: str) -> str:
    return f"{number:,} {unit if number == 1 else _PENCE.get(unit, f'{unit}s')}"
