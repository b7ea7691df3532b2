"""How well the embedded agent hears; scripts/bench embedded measures the same over SIP."""

import asyncio
import random
import shutil

import pytest

from opensip.agent.grammar import digits_in
from opensip.agent.providers.embedded_recognizer import EmbeddedRecognizer
from opensip.agent.providers.shared import close_shared
from opensip.agent.script import Script
from opensip.agent.tongues import digits
from scripts.benches.embedded.words import OUTSIDE, PHRASES, VOICES
from tests.agent.test_speech import hear
from tests.fakes.shop import shop

pytest.importorskip("pocketsphinx", reason="the extra speech is not installed")
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed"),
]


def texts_of(spoken, state="main"):
    """Tell what the agent makes of each (voice, text), in a state of its script."""

    async def main():
        recognizer, script = EmbeddedRecognizer(), Script(shop())
        script.state = state
        heard = [(await hear(recognizer, script, voice, text)).text for voice, text in spoken]
        await close_shared()
        return heard, [script.intent_of(text) for text in heard]

    return asyncio.run(main())


def test_of_36_phrases_34_are_understood():
    spoken = [(voice, text) for voice in VOICES for text in PHRASES]
    _, intents = texts_of(spoken)
    right = sum(PHRASES[text] == found for (_, text), found in zip(spoken, intents, strict=True))
    assert right >= 34


@pytest.mark.parametrize("state", ["main", "order"])
def test_of_24_utterances_outside_the_grammar_2_at_most_are_taken_for_a_phrase(state):
    spoken = [(VOICES[number % 3], text) for number, text in enumerate(OUTSIDE)]
    heard, _ = texts_of(spoken, state)
    assert sum(map(bool, heard)) <= 2


def test_digits_are_heard():
    rng = random.Random(5)
    numbers = [(voice, f"{rng.randrange(10_000):04}") for voice in VOICES for _ in range(10)]
    heard, _ = texts_of([(voice, digits(number)) for voice, number in numbers], "order")
    found = [digits_in(text) for text in heard]
    pairs = [(number, got) for (_, number), got in zip(numbers, found, strict=True)]
    right = sum(a == b for number, got in pairs for a, b in zip(number, got, strict=False))
    assert right >= 0.95 * 4 * len(pairs)
    assert sum(number == got for number, got in pairs) >= 0.85 * len(pairs)
