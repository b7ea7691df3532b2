import asyncio
import importlib.util
import sys

import numpy as np
import pytest

from opensip.agent import grammar
from opensip.agent.providers import Expectation, Understood
from opensip.agent.providers.embedded_recognizer import (
    DecoderProcess,
    EmbeddedRecognizer,
    alike,
    chosen,
    close_shared,
    understood,
)
from opensip.errors import MissingExtra, ProviderError

JSGF = grammar.to_jsgf([grammar.parse("yes | no")])


@pytest.mark.parametrize(
    ("text", "score", "worst", "coverage", "understands"),
    [
        ("where is my order", -2.5, -5.0, 1.0, True),
        ("where is my order", -4.1, -5.0, 1.0, False),
        ("where is my order", -2.5, -9.0, 1.0, False),
        ("where is my order", -2.5, -5.0, 0.6, False),
        ("four two one seven", -3.9, -5.0, 1.0, True),
        ("yes", -5.0, -5.0, 1.0, True),
        ("yes", -5.5, -5.5, 1.0, False),
        ("", 0.0, -10.0, 0.0, False),
    ],
)
def test_words_must_fit_what_was_heard(text, score, worst, coverage, understands):
    found = understood(text, score, worst, coverage)
    assert found.text == (text if understands else "")
    assert 0 <= found.confidence <= 1


@pytest.mark.parametrize(
    ("text", "score", "alone", "understands"),
    [
        ("where is my order", -3.6, False, True),
        ("where is my order", -3.6, True, False),
        ("four two one seven", -4.3, False, True),
        ("four two one seven", -4.3, True, False),
        ("four two one seven", -4.1, True, True),
        ("a person", -5.0, True, True),
    ],
)
def test_loose_words_must_be_found_at_more_than_one_length(text, score, alone, understands):
    assert understood(text, score, -5.0, 1.0, alone=alone).text == (text if understands else "")


def test_readings_are_alike_where_one_word_differs():
    assert alike("this is an emergency", "it is an emergency")
    assert alike("four two one seven", "four two one one")
    assert not alike("four two one seven", "four nine one one")
    assert not alike("where is my order", "when are you open")


def test_without_pocketsphinx_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"opensip-agent\[speech\]"):
        EmbeddedRecognizer()


class Crowd:
    """A process that answers at once, and for which others may wait."""

    def __init__(self, crowded):
        self.crowded, self.asked = crowded, 0

    def wake(self, jsgf):
        pass

    async def decode(self, jsgf, audio):
        self.asked += 1
        return {
            "text": "where is my order",
            "score": -3.0,
            "worst": -4.0,
            "coverage": 1.0,
            "nearly": {},
        }


@pytest.mark.parametrize(("crowded", "asked"), [(False, 3), (True, 1)])
def test_where_many_wait_one_length_must_do(crowded, asked):
    async def main():
        process = Crowd(crowded)
        recognizer = EmbeddedRecognizer(process)
        recognizer.begin(Expectation(JSGF))
        recognizer.feed(np.ones(8000, np.int16))
        return (await recognizer.finish()).text, process.asked

    pytest.importorskip("pocketsphinx", reason="the extra speech is not installed")
    assert asyncio.run(main()) == ("where is my order", asked)


class Undecided(Crowd):
    """A process that reads a turn differently at each length."""

    async def decode(self, jsgf, audio):
        readings = [("where is my order", -3.0), ("", -9.0), ("when are you open", -2.7)]
        text, score = readings[self.asked]
        self.asked += 1
        return {"text": text, "score": score, "worst": -4.0, "coverage": 1.0, "nearly": {}}


def test_what_other_lengths_gave_may_have_been_said_too():
    async def main():
        recognizer = EmbeddedRecognizer(Undecided(False))
        recognizer.begin(Expectation(JSGF))
        recognizer.feed(np.ones(8000, np.int16))
        return await recognizer.finish()

    pytest.importorskip("pocketsphinx", reason="the extra speech is not installed")
    understood = asyncio.run(main())
    assert (understood.text, understood.others) == ("when are you open", ("where is my order",))


def reading(text, score, **nearly):
    return {
        "text": text, "score": score, "worst": -4.0, "coverage": 1.0,
        "nearly": {words.replace("_", " "): lost for words, lost in nearly.items()},
    }  # fmt: skip


def test_what_was_nearly_read_comes_after_what_a_length_liked_best():
    answers = [
        reading("three eight six four", -2.9, three_eight_six_four=0.0, three_two_six_four=0.02),
        reading("three eight", -2.7, three_eight=0.0, three_one_six_four=0.001),
        reading("three eight eight four", -2.8, three_two_six_four=0.01),
    ]  # fmt: skip
    found = chosen(answers, lambda text: len(text.split()) == 4)
    assert found.text == "three eight eight four"
    assert found.others == (
        "three eight six four", "three two six four", "three one six four",
    )  # fmt: skip


def test_a_reading_that_is_no_sentence_is_not_chosen():
    assert chosen([reading("three eight", -2.0)], lambda text: False) == Understood("", 0.0)


@pytest.mark.e2e
def test_nothing_and_too_little_is_not_understood():
    async def main():
        recognizer = EmbeddedRecognizer()
        recognizer.begin(Expectation(JSGF))
        assert await recognizer.finish() == Understood("", 0.0)
        recognizer.feed(np.ones(400, np.int16))
        assert await recognizer.finish() == Understood("", 0.0)
        await recognizer.close()
        await close_shared()

    asyncio.run(main())


@pytest.mark.e2e
def test_a_decoder_that_dies_is_an_error_once_and_begins_afresh():
    async def main():
        process = DecoderProcess()
        quiet = np.zeros(8000, np.int16).tobytes()
        assert (await process.decode(JSGF, quiet))["text"] == ""
        with pytest.raises(ProviderError):
            await process.decode("no grammar", quiet)
        process._process.kill()
        with pytest.raises(ProviderError, match="the decoder failed"):
            await process.decode(JSGF, quiet * 100)
        assert (await process.decode(JSGF, quiet))["text"] == ""
        await process.close()

    asyncio.run(main())


@pytest.mark.e2e
def test_giving_up_leaves_no_answer_for_the_next():
    async def main():
        process = DecoderProcess()
        asking = asyncio.create_task(process.decode(JSGF, np.zeros(80000, np.int16).tobytes()))
        await asyncio.sleep(0)
        asking.cancel()
        assert "text" in await process.decode(JSGF, b"")
        await process.close()

    asyncio.run(main())


@pytest.mark.e2e
def test_a_decoder_that_cannot_start_is_an_error(monkeypatch):
    async def main():
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(ProviderError, match="the decoder failed"):
            await DecoderProcess().decode(JSGF, b"")

    asyncio.run(main())
