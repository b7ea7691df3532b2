"""Tries the providers of an agent, one by one, with a word each: do key, model and voice work?"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any

import numpy as np

from opensip.agent.check_hearing import DEAF, is_deaf
from opensip.agent.definition import LIVE, Agent
from opensip.agent.live import Realtime
from opensip.agent.memory import Memory
from opensip.agent.providers import (
    Dialogue,
    Providers,
    Recognizer,
    Say,
    Synthesizer,
    Understood,
    make,
    make_stage,
    sound_of,
)
from opensip.audio.frame import Samples
from opensip.audio.resample import resample
from opensip.audio.tones import tone
from opensip.errors import OpenSipError

WORDS = "Hello, this is a test."
_SECONDS = 20.0  # that one provider may take
_RATE = 8000


@dataclass(frozen=True, slots=True)
class Tried:
    """How one provider did within `ms`: what it gave, or why it failed."""

    stage: str
    name: str
    ms: float
    result: str = ""
    error: str = ""


async def tried(agent: Agent, providers: Providers | None = None) -> AsyncIterator[Tried]:
    """Try every provider of an agent: voices first, for recognizers hear what they spoke.

    Raises ConfigError, MissingExtra where one cannot be made.
    """
    if agent.kind in LIVE:
        lines = make_stage("realtime", agent, {}, Memory())
        for name, line in zip(agent.realtime, lines, strict=True):
            yield await _timed("realtime", name, _reached(line))
        return
    made = providers or make(agent)
    speech = tone(300, 1.0, _RATE)
    for name, synthesizer in zip(agent.synthesizer, made.synthesizers, strict=True):
        pieces: list[Samples] = []
        yield await _timed("synthesizer", name, _speak(synthesizer, pieces))
        if pieces:
            speech = resample(np.concatenate(pieces), synthesizer.rate, _RATE)
    for name, recognizer in zip(agent.recognizer, made.recognizers, strict=True):
        if is_deaf(agent, name):
            await recognizer.close()
            yield Tried("recognizer", name, 0.0, error=DEAF)
            continue
        yield await _timed("recognizer", name, _hear(recognizer, made.dialogues[0], speech))
    for name, dialogue in zip(agent.dialogue, made.dialogues, strict=True):
        yield await _timed("dialogue", name, _talk(dialogue))


async def _timed(stage: str, name: str, work: Coroutine[Any, Any, str]) -> Tried:
    now = asyncio.get_running_loop().time
    began, result, failed = now(), "", ""
    try:
        async with asyncio.timeout(_SECONDS):
            result = await work
    except (OpenSipError, TimeoutError, OSError) as error:
        failed = str(error) or f"no answer within {_SECONDS:g} s"
    return Tried(stage, name, (now() - began) * 1000, result, failed)


async def _speak(synthesizer: Synthesizer, pieces: list[Samples]) -> str:
    async for piece in synthesizer.speak(WORDS):
        pieces.append(sound_of(piece))
    seconds = sum(map(len, pieces)) / synthesizer.rate
    return f"{seconds:.1f} s of speech"


async def _hear(recognizer: Recognizer, dialogue: Dialogue, speech: Samples) -> str:
    try:
        recognizer.begin(dialogue.expectation())
        recognizer.feed(resample(speech, _RATE, recognizer.rate))
        return repr((await recognizer.finish()).text)
    finally:
        await recognizer.close()


async def _talk(dialogue: Dialogue) -> str:
    said = [act.text async for act in dialogue.answer(Understood(WORDS)) if isinstance(act, Say)]
    await dialogue.close()
    return repr(" ".join(said))


async def _reached(line: Realtime) -> str:
    try:
        await line.connect()
    finally:
        await line.close()
    return "takes calls"
