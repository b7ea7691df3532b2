"""Whether a caller agreed: the words of a yes and of a no, by language. Pure.

What is irreversible is done after a plain yes alone: a yes with anything behind it that is neither
polite nor a word of the question is none. Where in doubt it is asked again, never done.
"""

from dataclasses import dataclass
from typing import Literal

from opensip.agent.backchannels import hesitates, words_of

Answered = Literal["yes", "no", "unclear", "other"]

_OPENERS = frozenset({"oh", "well", "so", "and", "ach", "na", "also", "bueno", "ben", "nou"})
_FEW = 2  # strange words beside a yes, that may be misheard; with more it says something else


@dataclass(frozen=True, slots=True)
class Words:
    """Of one language: phrases that begin a yes, words that begin a no, and those of politeness."""

    yes: frozenset[str]
    no: frozenset[str]
    polite: frozenset[str]


def _words(yes: str, no: str, polite: str) -> Words:
    """Take phrases with commas between, and words."""
    phrases = frozenset(phrase.strip() for phrase in yes.split(","))
    return Words(phrases, frozenset(no.split()), frozenset(polite.split()))


LANGUAGES = {
    "en": _words(
        "yes, yeah, yep, yup, sure, okay, ok, correct, right, exactly, certainly, absolutely,"
        " definitely, affirmative, agreed, of course, go ahead, do it, do that, please do,"
        " that's right, that is right, that's correct, that is correct, that's fine, sounds good",
        "no nope nah not don't never wrong incorrect stop wait neither nothing",
        "please thanks thank you oh well so and i am i'm it it's is that that's this the a do go"
        " ahead of course right correct fine good sure yes yeah okay ok exactly",
    ),
    "de": _words(
        "ja, jawohl, jo, jep, genau, richtig, korrekt, stimmt, klar, gern, gerne, sicher,"
        " natürlich, einverstanden, okay, ok, in ordnung, das stimmt, das ist richtig, mach das,"
        " machen sie das, tun sie das, passt",
        "nein nee nö nicht kein keine keinen niemals nie falsch stopp halt moment",
        "bitte danke das ist es so sie tun machen und ich der die den dem gern gerne genau richtig"
        " stimmt ja okay ok natürlich sehr gut schön",
    ),
    "fr": _words(
        "oui, ouais, d'accord, exactement, exact, correct, parfait, volontiers, certainement,"
        " bien sûr, allez-y, c'est ça, c'est bon, c'est exact, c'est correct, okay, ok",
        "non pas jamais faux stop arrêtez attendez rien aucun",
        "s'il vous plaît te merci c'est ça bien sûr le la et oui allez-y exact d'accord parfait",
    ),
    "es": _words(
        "sí, si, claro, correcto, exacto, vale, adelante, de acuerdo, por supuesto, hágalo,"
        " confirmo, está bien, eso es, okay, ok",
        "no nunca incorrecto falso mal espere nada",
        "por favor gracias está bien es eso lo el la y sí si claro correcto señor señora",
    ),
    "it": _words(
        "sì, si, certo, esatto, corretto, giusto, confermo, proceda, va bene, d'accordo,"
        " vada pure, okay, ok",
        "no non mai sbagliato aspetti niente",
        "per favore grazie prego è così bene va il la e sì si certo esatto",
    ),
    "nl": _words(
        "ja, jawel, jazeker, zeker, klopt, prima, akkoord, graag, dat klopt, in orde, doe maar,"
        " is goed, dat is goed, okay, ok, oké",
        "nee neen niet geen nooit fout stop wacht niets",
        "alstublieft alsjeblieft graag dat is het goed dank u je wel bedankt en ja klopt prima",
    ),
    "pl": _words(
        "tak, dobrze, oczywiście, jasne, zgoda, pewnie, poproszę, potwierdzam, zgadza się,"
        " okay, ok",
        "nie nigdy źle stop",
        "proszę to jest się dziękuję bardzo i tak dobrze zgadza",
    ),
    "pt": _words(
        "sim, claro, certo, correto, exato, isso, confirmo, pode ser, pode fazer, de acordo,"
        " está bem, okay, ok",
        "não nao nunca errado espere nada",
        "por favor obrigado obrigada está é isso bem o a e sim claro certo",
    ),
}  # fmt: skip


def words_for(language: str, yes: tuple[str, ...] = (), no: tuple[str, ...] = ()) -> Words | None:
    """Give the words of a language tag, and `yes` and `no` beside; None without any of a yes."""
    known = LANGUAGES.get(language.partition("-")[0], Words(*[frozenset[str]()] * 3))
    given = frozenset(" ".join(words_of(phrase)) for phrase in yes)
    against = frozenset(word for phrase in no for word in words_of(phrase))
    found = Words(known.yes | given, known.no | against, known.polite)
    return found if found.yes else None


def judge(text: str, words: Words, question: str = "") -> Answered:
    """Tell how `text` answers `question`, whose own words may come with a yes."""
    said = [_straight(word) for word in words_of(text) if not hesitates(word)]
    while said and said[0] in _OPENERS:
        del said[0]
    if not said:
        return "unclear"
    agreed, strange = _begins(said, words.yes) > 0, _strange(said, words, question)
    against = any(word in words.no for word in said)
    if against and not agreed:
        return "no"
    if agreed and not (against or strange or text.rstrip().endswith("?")):
        return "yes"
    if strange <= _FEW and (agreed or not strange or _holds(said, words.yes)):
        return "unclear"
    return "other"


def _strange(said: list[str], words: Words, question: str) -> int:
    """Count the words that are none of a yes, of a no, of politeness and of the question."""
    also = words.polite | words.no | {_straight(word) for word in words_of(question)}
    at = count = 0
    while at < len(said):
        taken = _begins(said[at:], words.yes)
        count += not taken and said[at] not in also
        at += taken or 1
    return count


def _begins(said: list[str], phrases: frozenset[str]) -> int:
    """Tell how many words of a yes stand at the beginning, the longest phrase first; 0: none."""
    longest = max((len(phrase.split()) for phrase in phrases), default=0)
    counts = range(min(longest, len(said)), 0, -1)
    return next((count for count in counts if " ".join(said[:count]) in phrases), 0)


def _holds(said: list[str], phrases: frozenset[str]) -> bool:
    return any(_begins(said[start:], phrases) for start in range(len(said)))


def _straight(word: str) -> str:
    return word.replace("\u2019", "'")
