"""Words that want no floor ("mhm", "yeah", "okay"), and text that goes on after it ends. Pure."""

import re
from functools import lru_cache

from opensip.agent.grammar import DIGIT_WORDS

_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_HESITATIONS = frozenset({
    *("uh", "um", "er", "erm", "ah", "eh", "hm", "hmm", "mm", "mmm", "mhm", "uhm"),
    *("äh", "ähm", "öhm", "euh", "ehm"),
})  # fmt: skip
_LISTENING = _HESITATIONS | {
    *("mm-hmm", "mm-hm", "mhmm", "uh-huh", "uhuh", "huh", "aha", "oh", "yeah", "yep", "yup", "yes"),
    *("ok", "okay", "kay", "right", "sure", "alright", "cool", "fine", "good", "great", "nice"),
    *("thanks", "so", "well", "i", "see", "got", "it", "all"),
    # of other languages, where none is a word of another that wants the floor
    *("ja", "jaja", "jo", "genau", "gut", "klar", "stimmt", "achso", "richtig", "verstehe", "ach"),
    *("oui", "ouais", "d'accord", "bien", "voilà", "sí", "claro", "vale", "bueno", "ajá", "ya"),
    *("sì", "certo", "esatto", "bene", "sim", "pois", "tá", "goed", "precies", "klopt", "tak"),
}
_REMEMBERED = 128  # texts: of one turn the same is asked frame by frame
_MOST_WORDS = 4  # of a backchannel: who says more wants to say something
_SENTENCE = re.compile(r"[.!?\u2026\u3002\uff1f\uff01][\"'\u201d\u2019)\]]*\s*$")
_SPELLED = frozenset({*DIGIT_WORDS, *"bcdefghjklmnopqrstuvwxyz", "oh", "double", "dash", "dot"})


@lru_cache(_REMEMBERED)
def words_of(text: str) -> tuple[str, ...]:
    """Give the words of a text, whatever its signs and case."""
    return tuple(_WORD.findall(text.casefold()))


def hesitates(text: str) -> bool:
    """Tell whether a text holds no word, only the sounds of somebody who thinks or listens."""
    return all(word in _HESITATIONS for word in words_of(text))


def is_backchannel(text: str) -> bool:
    """Tell whether a text says only that somebody listens."""
    words = words_of(text)
    return len(words) <= _MOST_WORDS and all(word in _LISTENING for word in words)


def ends_sentence(text: str) -> bool:
    """Tell whether a text ends as a sentence does."""
    return bool(_SENTENCE.search(text))


@lru_cache(_REMEMBERED)
def spells(text: str) -> bool:
    """Tell whether a text breaks off amid digits or letters: more may follow."""
    last = [word in _SPELLED or word.isdigit() for word in words_of(text)[-2:]]
    if ends_sentence(text) or words_of(text)[-1:] == ("one",):
        return last == [True, True] and not text.rstrip().endswith("?")
    return last[-1:] == [True]
