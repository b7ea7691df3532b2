"""Emergency numbers, known by the raw string: nothing here may dial them or answer for them."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from opensip.carriers.number import (
    calling_code,
    countries_of,
    is_emergency_number,
    is_ordinary,
)

EVERYWHERE = frozenset({"911", "933", "112", "999"})  # 933 is the test number beside 911

_UNESCAPINGS = 4  # a string escaped more often than this means harm, and is refused
_SERVICE = re.compile(r"(?i)\burn:service:(test\.)?sos\b")
_SCHEME = re.compile(r"(?i)^(sips?|tel):(//)?")
_AFTER_DIALLING = re.compile(r"(?i)[;?x].*$", re.DOTALL)  # extensions, parameters
_PAUSE = re.compile(r"(?i)[,pw!]")  # what comes behind is dialled too, perhaps as another call
_STAR_CODE = re.compile(r"^[*#](\d{1,4}[*#]|\d\d)(?=\d)")  # *67911: hide my number, then dial
_SEPARATORS = frozenset("./_~\"'()[]")
_SEPARATING = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Pd"})  # spaces, dashes, the invisible
_LONGEST = 6  # digits that an emergency number of any country has
_NORTH_AMERICA = frozenset({"911", "933"})
# Digits that get an outside line first, and what people dial behind them.
_ACCESS = {"": EVERYWHERE, "0": EVERYWHERE, "9": EVERYWHERE, "8": _NORTH_AMERICA}
# Prefixes of a private plan ("77911") and ids of a trunk ("abc123911"), which carriers take off.
# A single digit is left alone, or no extension of four digits could end in 911.
_PREFIX_LENGTHS = (2, 3)
_LONGEST_NAME = 16  # characters of an id and a number; a longer one is a token, ending anyhow
_SHORTEST_CALL = 10  # digits; shorter may be an access code, behind which one dials on


@lru_cache(maxsize=4096)  # the same numbers are called again and again
def is_emergency(raw: str, country: str = "US") -> bool:
    """Tell whether dialling `raw` could reach emergency services.

    `raw` is what came: digits however separated, a sip:, tel: or urn: URI, a name-addr, with
    parameters and escapes. `country` (ISO 3166) adds its own numbers and its calling code.
    Full numbers that only begin or end like one (+19115551234, +491125551234) are ordinary.
    """
    text = raw
    for _ in range(_UNESCAPINGS):
        if _matches(unicodedata.normalize("NFKC", text), country):
            return True
        text, escaped = unquote(text), text
        if text == escaped:
            return False
    return True


def _matches(text: str, country: str) -> bool:
    return bool(_SERVICE.search(text)) or any(
        _is_dialled(local, country) for local in _diallings(text)
    )


def _diallings(text: str) -> Iterator[str]:
    """Every reading of `text` as what is dialled: user part, global and routing number."""
    for address in (text, *re.findall(r"<([^>]*)", text)):
        for user in _users(address.strip()):
            local, *parameters = user.split(";")
            yield local
            for parameter in parameters:
                name, _, value = (part.strip() for part in parameter.partition("="))
                if name.lower() == "phone-context" and value.startswith("+"):
                    yield value + local
                elif name.lower() == "rn":
                    yield value


def _users(address: str) -> list[str]:
    """What stands where a user part may: all before an @, and a host that is no address."""
    scheme = _SCHEME.match(address)
    rest = address[scheme.end() :] if scheme else address
    before, at, after = rest.rpartition("@")
    if not at and (not scheme or scheme[1].lower() == "tel"):
        return [rest]
    host = re.split(r"[:;?]", after)[0]  # sip:911; a host with dots is an address
    users = [part.partition(":")[0] for part in before.split("@")] if at else []
    return [*users, host] if _digits(host) and "." not in host else users


def _is_dialled(local: str, country: str) -> bool:
    """Tell whether a user part reaches one: as a whole, or by a stretch between two pauses."""
    first, *later = _PAUSE.split(_AFTER_DIALLING.sub("", local))
    digits = _digits(first)
    if first.strip() and not digits:
        return _is_named(local)
    if len(digits) >= _SHORTEST_CALL:  # what comes behind is keyed to whom it reaches
        return _reaches(digits, country)
    behind = [_digits(part) for part in later]
    dialled = {digits, digits + "".join(behind), *behind} - {""}
    return any(_reaches(number, country) for number in dialled) or any(map(_is_named, later))


def _is_named(text: str) -> bool:
    """Tell whether a name ends in an emergency number, as Bandwidth writes the id of a trunk."""
    name = _bare(text)
    has_letters = any(character.isalpha() for character in name)
    return has_letters and len(name) <= _LONGEST_NAME and name.endswith(tuple(_NORTH_AMERICA))


def _digits(text: str) -> str:
    """What a switch would dial of `text`; "" where it has letters, and is a name."""
    kept = _STAR_CODE.sub("", _bare(text)).rstrip("#*")
    return kept if re.fullmatch(r"\+*[0-9]+", kept) else ""


def _bare(text: str) -> str:
    """Drop what separates digits, and write each digit as ASCII has it."""
    return "".join(
        str(unicodedata.digit(character)) if character.isdigit() else character
        for character in text
        if character not in _SEPARATORS and unicodedata.category(character) not in _SEPARATING
    )


def _reaches(dialled: str, country: str) -> bool:
    if is_ordinary(dialled, country):
        return False
    digits = dialled.lstrip("+")
    if len(digits) < len(dialled) and _reaches_abroad(digits):
        return True
    own = str(calling_code(country))
    abroad = "011" if own == "1" else "00"
    for access, numbers in _ACCESS.items():
        if not digits.startswith(access):
            continue
        rest = digits.removeprefix(access)
        national = rest.removeprefix(own)
        if rest in numbers or (access != "8" and _is_listed(rest, country)):
            return True
        if national != rest and _reaches_at_home(national, country):
            return True
        if rest.startswith(abroad) and _reaches_abroad(rest.removeprefix(abroad)):
            return True
    international = digits.startswith("00") and _reaches_abroad(digits[2:])
    return international or _is_prefixed(digits, _NORTH_AMERICA if own == "1" else EVERYWHERE)


def _is_prefixed(digits: str, numbers: frozenset[str]) -> bool:
    return any(digits[length:] in numbers for length in _PREFIX_LENGTHS)


def _reaches_at_home(number: str, country: str) -> bool:
    """Behind the country's own code. 1112 and 1999 are extensions, not 112 in North America."""
    if calling_code(country) == 1:
        return number in _NORTH_AMERICA
    return number in EVERYWHERE or _is_listed(number, country)


def _reaches_abroad(digits: str) -> bool:
    """Behind a plus or its dialled form: an emergency number with or without a country code."""
    return digits in EVERYWHERE or any(
        digits[length:] in EVERYWHERE or _is_listed(digits[length:], country)
        for length in (1, 2, 3)
        if len(digits) <= length + _LONGEST
        for country in countries_of(int(digits[:length] or 0))
    )


def _is_listed(number: str, country: str) -> bool:
    return len(number) <= _LONGEST and is_emergency_number(number, country)
