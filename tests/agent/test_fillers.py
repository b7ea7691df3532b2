import asyncio

import numpy as np
import pytest

from opensip.agent.definition import Agent
from opensip.agent.fillers import Fillers
from opensip.agent.mouth import Mouth
from opensip.agent.providers import Say, Understood
from opensip.agent.providers.scripted import ScriptedDialogue, ScriptedSynthesizer
from opensip.events import AgentSaid, FillerSaid, SpeechEnded, TurnTaken
from tests.fakes.line import Line, Noted
from tests.fakes.talk import Talk, voice
from tests.fakes.virtual_time_loop import VirtualTimeLoop

TEXTS = ("One moment.", "Still looking.")


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


async def watched(seconds, *, texts=TEXTS, prepared=True, delay=0.1):
    loop = asyncio.get_running_loop()
    line, noted = Line(), Noted()
    voice = ScriptedSynthesizer(delay=0.1)
    mouth = Mouth([voice], line, noted, loop.time, standing=texts)
    if prepared:
        await mouth.prepare(texts)
    fillers = Fillers(texts, 0.7, mouth=mouth, sink=line, observer=noted, now=loop.time)
    since = loop.time()
    fillers.start(since, since)
    await asyncio.sleep(seconds)
    return fillers, mouth, line, noted, since


def test_a_wait_is_bridged_until_the_answer_is_there():
    async def main():
        fillers, mouth, _, noted, _ = await watched(7.0)
        said = noted.of(FillerSaid)
        assert [event.text for event in said] == ["One moment.", "Still looking.", "One moment."]
        assert said[0].waited_ms == pytest.approx(700, abs=1)
        gap = said[1].at - said[0].at - len("One moment.") * 0.06
        assert gap == pytest.approx(2.2, abs=0.05)
        await mouth.say("Here it is.")
        fillers.stop()
        assert await mouth.finish() == "Here it is."
        assert [event.heard for event in noted.of(AgentSaid)] == ["Here it is."]
        assert len(asyncio.all_tasks()) == 1

    run(main)


def test_a_quick_answer_needs_none():
    async def main():
        fillers, mouth, _, noted, _ = await watched(0.3)
        await mouth.say("Here it is.")
        fillers.stop()
        await mouth.finish()
        assert noted.of(FillerSaid) == []

    run(main)


def test_without_prepared_words_there_is_silence():
    async def main():
        fillers, _, line, noted, _ = await watched(3.0, prepared=False)
        assert noted.of(FillerSaid) == []
        assert not np.any(line.written)
        fillers.stop()
        none = await watched(3.0, texts=())
        none[0].stop()

    run(main)


def test_what_bridges_can_be_stopped_and_was_no_answer():
    async def main():
        fillers, mouth, line, noted, _ = await watched(0.8)
        assert not mouth.silent
        fillers.stop()
        assert mouth.stop() == ""
        assert mouth.silent
        assert noted.of(AgentSaid) == []
        assert line.queued() == 0

    run(main)


def test_a_turn_whose_end_was_waited_for_is_bridged_in_time():
    async def main():
        fillers, _, _, noted, _ = await watched(0.1)
        now = asyncio.get_running_loop().time()
        fillers.start(now, now - 0.9)  # decided late, as after the pauses of a number
        await asyncio.sleep(0.6)
        assert noted.of(FillerSaid)[0].waited_ms == pytest.approx(1400, abs=1)
        fillers.stop()

    run(main)


@pytest.mark.parametrize("takes", [0.5, 1.0, 1.3, 1.6, 2.5])
def test_with_the_defaults_something_is_heard_in_time_and_holds_up_no_answer(takes):
    async def main():
        loop = asyncio.get_running_loop()
        agent = Agent("ada", kind="model", persona="You are Ada.", greeting="Hello.")
        answers = [[Say("Hello.")], [Say("It is on its way.")]]
        slow = ScriptedDialogue(answers, delay=takes)
        talk = Talk([], [Understood("where is it", 1.0)], dialogues=(slow,), agent=agent)
        await talk.session.prepare()
        await asyncio.sleep(3)
        talk.line.answered()
        running = asyncio.create_task(talk.session.run())
        await asyncio.sleep(takes + 2)
        talk.line.speak(voice(1.0))
        fell_silent = loop.time() + 1.0
        await asyncio.sleep(1.0 + takes + 4)
        talk.line.hang_up()
        await running
        await talk.session.close()
        [decided] = [event.at for event in talk.noted.of(SpeechEnded)]
        [taken] = talk.noted.of(TurnTaken)
        return talk.noted.of(FillerSaid), fell_silent, decided, taken

    fillers, fell_silent, decided, taken = run(main)
    first = [event.at for event in fillers[:1]] or [fell_silent + taken.total_ms / 1000]
    assert first[0] - fell_silent < 1.5
    ready = decided - fell_silent + 0.1 + takes + 0.1  # recogniser, dialogue, voice
    assert bool(fillers) == (ready > 1.4)
    assert taken.total_ms / 1000 - ready < 0.7
