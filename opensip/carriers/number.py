"""Telephone numbers as trunks write them, brought to one form: E.164 with a plus."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote

import phonenumbers
from phonenumbers import PhoneNumberType

_SEPARATORS = re.compile(r"[\s.()/\-]")
_SHORTEST = 7  # digits; what is shorter is an extension or a service code, never a national number

# What phonenumbers takes for possible of +1. It takes 50 us to say so, and most callers are new.
_NORTH_AMERICAN = re.compile(r"\+1[2-9][0-9]{9}")
_REMEMBERED = 4096  # results of each function below: the same numbers are called again and again

_TYPES = {  # the names that libphonenumber has for them
    value: name for name, value in vars(PhoneNumberType).items() if name.isupper()
}


@lru_cache(_REMEMBERED)
def normalise(raw: str, country: str = "US") -> str:
    """Bring `raw` to E.164 ("+19195551234"); what is no number passes through, less its wrapping.

    `raw` is a user part, a `tel:`, `sip:` or name-addr text, with or without parameters
    (`;npdi;rn=`, `;user=phone`); `country` (ISO 3166) completes national numbers. A `tel:`
    number with a global `;phone-context=+1` is completed by it (RFC 3966 section 5.1.5).
    """
    user, parameters = _user_of(raw)
    digits = _SEPARATORS.sub("", unicodedata.normalize("NFKC", user))
    context = parameters.get("phone-context", "")
    if context.startswith("+") and digits.isdecimal():
        digits = context + digits
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return user
    return _international(digits, country) or user


@lru_cache(_REMEMBERED)
def describe(number: str) -> Mapping[str, str | bool]:
    """Tell what the numbering plans know of a number in E.164; empty for what is none.

    `number`, `country` (ISO 3166, "" where the number is of none), `countryCallingCode`,
    `nationalNumber`, `valid` (it is in use), `type` ("MOBILE", "TOLL_FREE", …, "UNKNOWN") and
    `uri`, the `tel:` form.
    """
    parsed = _parsed_e164(number)
    if parsed is None:
        return MappingProxyType({})
    kind = phonenumbers.number_type(parsed)
    told: dict[str, str | bool] = {
        "number": number,
        "country": phonenumbers.region_code_for_number(parsed) or "",
        "countryCallingCode": str(parsed.country_code),
        "nationalNumber": phonenumbers.national_significant_number(parsed),
        # This is how libphonenumber itself judges, only that it looks the type up once more.
        "valid": kind != PhoneNumberType.UNKNOWN,
        "type": _TYPES[kind],
        "uri": f"tel:{number}",
    }
    return MappingProxyType(told)


def _parsed_e164(number: str) -> phonenumbers.PhoneNumber | None:
    if _NORTH_AMERICAN.fullmatch(number):  # there is nothing to find out: no prefix, no zero
        return phonenumbers.PhoneNumber(country_code=1, national_number=int(number[2:]))
    return _parse(number, None) if number.startswith("+") else None


def _user_of(raw: str) -> tuple[str, dict[str, str]]:
    text = raw.strip()
    if bracketed := re.search(r"<([^>]*)>", text):
        text = bracketed[1]
    text = re.sub(r"(?i)^(sips?|tel):", "", text)
    text = text.partition("?")[0].partition("@")[0]
    user, *parameters = unquote(text).split(";")
    named = (parameter.partition("=") for parameter in parameters)
    return user.strip(), {name.strip().lower(): value.strip() for name, _, value in named}


def _international(digits: str, country: str) -> str:
    """E.164 of `digits`, or "" where they are no number of any reading."""
    if len(digits.lstrip("+")) < _SHORTEST:
        return ""
    if digits.startswith("+"):
        return digits if _NORTH_AMERICAN.fullmatch(digits) else _possible(digits, None)
    code = phonenumbers.country_code_for_region(country)
    # Eleven digits after the country's own code are E.164 without its plus: carriers write so.
    if digits.startswith(str(code)) and (number := _valid("+" + digits)):
        return number
    return _possible(digits, country) or _possible("+" + digits, None)


def _parse(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None


def _possible(text: str, country: str | None) -> str:
    number = _parse(text, country)
    # Possible, not valid: carriers lend numbers (555 ones among them) that no plan lists.
    return _e164(number) if number and phonenumbers.is_possible_number(number) else ""


def _valid(text: str) -> str:
    number = _parse(text, None)
    return _e164(number) if number and phonenumbers.is_valid_number(number) else ""


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(_REMEMBERED)
def is_ordinary(digits: str, country: str) -> bool:
    """Tell whether `digits` (a plus may lead) are a full number in use in `country` or abroad."""
    if len(digits.lstrip("+")) < _SHORTEST:
        return False
    number = _parse(digits, country or None)
    return number is not None and phonenumbers.is_valid_number(number)


def is_emergency_number(digits: str, country: str) -> bool:
    """Tell whether `digits` alone reach emergency services in `country` ("112" does in most)."""
    return bool(country) and phonenumbers.is_emergency_number(digits, country)


def calling_code(country: str) -> int:
    """Tell the calling code of a country: 1 for US, 49 for DE, 0 for none."""
    return phonenumbers.country_code_for_region(country)


def countries_of(calling_code: int) -> tuple[str, ...]:
    """Countries (ISO 3166) that share a calling code: 1 gives US, CA and the rest of NANP."""
    return tuple(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(calling_code, ()))
