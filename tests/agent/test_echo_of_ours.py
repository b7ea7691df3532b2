"""Calls on lines that give the agent's voice back: it hears itself, and speaks on."""

import asyncio
from contextlib import suppress

import numpy as np
import pytest

from opensip.agent.definition import Agent
from opensip.agent.providers import Heard, Providers, Say, Understood
from opensip.agent.providers.scripted import ScriptedDialogue
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.audio.tones import tone
from opensip.events import AgentSaid, BargedIn
from tests.fakes.echo_line import EchoLine
from tests.fakes.line import Noted
from tests.fakes.live_recognizer import FakeLive
from tests.fakes.virtual_time_loop import VirtualTimeLoop

TEXT = "Your order was sent on Monday by parcel, and it will arrive on Thursday afternoon."
RATE = 8000


class Voice:
    """Speaks words of syllables that differ in loudness; keeps where each ends in the sink."""

    rate = RATE

    def __init__(self, seed=1):
        self.ends = []
        self._random = np.random.default_rng(seed)
        self._written = 0

    async def speak(self, text):
        await asyncio.sleep(0.1)
        draw = self._random.uniform
        for word in text.split():
            parts = [np.zeros(int(draw(0.02, 0.1) * RATE), np.int16)]
            for _ in range(max(1, len(word) // 3)):
                level = draw(-28, -14)
                parts.append(tone(draw(150, 600), draw(0.08, 0.2), RATE, level_dbfs=level))
                parts.append(np.zeros(int(draw(0.01, 0.06) * RATE), np.int16))
            samples = np.concatenate(parts)
            self._written += len(samples)
            self.ends.append((word, self._written))
            yield samples


class LiveParrot(FakeLive):
    """Tells the words of the echo one by one, as services do."""

    async def hear(self, line, voice, late):
        told, words, loop = 0, [], asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0.02)
            if told == len(voice.ends) or voice.ends[told][1] > line.played():
                continue
            words.append(voice.ends[told][0])
            told += 1
            heard = Heard(" ".join(words), final=words[-1].endswith((",", ".")))
            loop.call_later(late, self._tell, heard)
            words = [] if heard.final else words


class Parrot:
    """Understands the echo of each turn that it is given."""

    rate = RATE

    def begin(self, expectation):
        self._fed = 0

    def feed(self, samples):
        self._fed += len(samples)

    async def hear(self, line, voice, late):
        self._line, self._voice, self._late = line, voice, int(late * RATE)
        await asyncio.Event().wait()

    async def finish(self):
        end = self._line.played() - self._late
        words = [w for w, at in self._voice.ends if end - self._fed < at <= end]
        await asyncio.sleep(0.1)
        return Understood(" ".join(words))

    async def close(self): ...


async def called(recognizer, *, gain_db, delay, caller=(), seed=1):
    """Let the agent say its text on such a line; the caller says `caller`: (when, samples)."""
    loop = asyncio.get_running_loop()
    line, noted, voice = EchoLine(gain_db=gain_db, delay=delay), Noted(), Voice(seed)
    session = AgentSession(
        Agent("test", voice_activity="energy"),
        Seat(source=line, sink=line, observer=noted, now=loop.time),
        providers=Providers((recognizer,), (ScriptedDialogue([[Say(TEXT)]]),), (voice,)),
    )  # fmt: skip
    hearing = asyncio.create_task(recognizer.hear(line, voice, delay + 0.1))
    for when, samples in caller:
        loop.call_later(when, line.speak, samples)
    loop.call_later(10, line.hang_up)
    await session.run()
    await session.close()
    hearing.cancel()
    return noted, line


def run(work):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


@pytest.mark.parametrize("recognizer", [Parrot, LiveParrot])
@pytest.mark.parametrize("delay", [0.06, 0.2, 0.4])
@pytest.mark.parametrize("gain_db", [-10, -20, -30])
def test_an_echo_in_our_words_is_no_interruption(recognizer, delay, gain_db):
    noted, _ = run(called(recognizer(), gain_db=gain_db, delay=delay))
    assert [event.heard for event in noted.of(AgentSaid)][:1] == [TEXT]
    assert noted.of(BargedIn) == []


@pytest.mark.parametrize(
    ("gain_db", "delay", "seed"),
    [(-30, 0.06, 7), (-30, 0.25, 11), (-30, 0.4, 9), (-10, 0.06, 5), (-15, 0.14, 5)],
)
def test_a_word_of_a_soft_echo_or_of_one_that_is_just_known_is_ours(gain_db, delay, seed):
    noted, _ = run(called(LiveParrot(), gain_db=gain_db, delay=delay, seed=seed))
    assert noted.of(BargedIn) == []


def test_a_soft_caller_with_words_of_their_own_interrupts():
    class Listener(LiveParrot):
        async def hear(self, line, voice, late):
            asyncio.get_running_loop().call_later(2.9, self.tell, "on Tuesday please")
            await asyncio.Event().wait()

    said = tone(250, 0.6, RATE, level_dbfs=-42)
    noted, _ = run(called(Listener(), gain_db=-90, delay=0.2, caller=((2.4, said),)))
    assert len(noted.of(BargedIn)) == 1


@pytest.mark.parametrize("gain_db", [-10, -20, -30])
@pytest.mark.parametrize("when", [0.9, 3.0])  # before the echo is known, and after
def test_a_caller_over_the_echo_interrupts(gain_db, when):
    class Listener(LiveParrot):
        async def hear(self, line, voice, late):
            with suppress(TimeoutError):
                async with asyncio.timeout(when):
                    await super().hear(line, voice, late)
            await asyncio.sleep(0.35)
            self.tell("", final=True)  # what came of the echo was all
            self.tell("I want")
            await asyncio.sleep(0.6)
            self.tell("I want to change it.")

    loud = tone(250, 1.0, RATE, level_dbfs=-16)
    noted, _ = run(called(Listener(), gain_db=gain_db, delay=0.2, caller=((when, loud),)))
    assert len(noted.of(BargedIn)) == 1
    stopped = noted.of(BargedIn)[0]
    assert when < stopped.at < when + 0.75
    assert TEXT.startswith(noted.of(AgentSaid)[0].heard)
    assert noted.of(AgentSaid)[0].heard != TEXT


def test_a_caller_who_repeats_an_offer_on_a_good_line_interrupts():
    class Listener(LiveParrot):
        async def hear(self, line, voice, late):
            asyncio.get_running_loop().call_later(2.9, self.tell, "on Monday")
            await asyncio.Event().wait()

    said = tone(250, 0.6, RATE, level_dbfs=-16)
    noted, _ = run(called(Listener(), gain_db=-90, delay=0.2, caller=((2.4, said),)))
    assert len(noted.of(BargedIn)) == 1
