"""What is written in digits, as other languages than English say it: numbers one by one, dates.

Times, amounts and counts stay as they are written: a voice of the language reads them right, and
knows the forms that they take in a sentence.
"""

import datetime

from opensip.agent.grammar import DIGIT_WORDS

DIGITS = {
    "en": DIGIT_WORDS,
    "de": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    "it": ("zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"),
    "nl": ("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"),
    "pl": ("zero", "jeden", "dwa", "trzy", "cztery", "pięć", "sześć", "siedem", "osiem",
           "dziewięć"),
    "pt": ("zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"),
}  # fmt: skip
_MONTHS = {
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
    " dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października"
    " listopada grudnia",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro"
    " dezembro",
}
_WRITTEN = {"de": "{day}. {month} {year}", "es": "{day} de {month} de {year}",
            "pt": "{day} de {month} de {year}"}  # fmt: skip
_YES_NO = {"de": ("ja", "nein"), "fr": ("oui", "non"), "es": ("sí", "no"), "it": ("sì", "no"),
           "nl": ("ja", "nee"), "pl": ("tak", "nie"), "pt": ("sim", "não")}  # fmt: skip
_FIRST = {"fr": "1er"}  # of a month


def primary(language: str) -> str:
    """Give the language of a tag alone: "de" of "de-AT"."""
    return language.partition("-")[0].lower()


def digits(value: object, language: str = "en") -> str:
    """Speak each digit alone: "4217" is "four two one seven"; "4, 2, 1, 7" where words lack."""
    words = DIGITS.get(primary(language))
    if words is None:
        return ", ".join(str(value))
    return " ".join(words[int(c)] if c.isdigit() and c.isascii() else c for c in str(value))


def date(day: datetime.date, language: str = "en") -> str:
    """Speak a date: "March 3, 2026", "3. März 2026"; as ISO 8601 writes it where words lack.

    Whether its year goes without saying, only a clock tells.
    """
    tongue = primary(language)
    if tongue == "en":
        return f"{day:%B} {day.day}, {day.year}"
    if tongue not in _MONTHS:
        return day.isoformat()
    number = _FIRST.get(tongue, "1") if day.day == 1 else str(day.day)
    form = _WRITTEN.get(tongue, "{day} {month} {year}")
    return form.format(day=number, month=_MONTHS[tongue].split()[day.month - 1], year=day.year)


def yes_or_no(value: bool, language: str = "en") -> str:
    """Say whether something is so; in English where words lack."""
    yes, no = _YES_NO.get(primary(language), ("yes", "no"))
    return yes if value else no
