"""A session whose providers fail: the next takes over, or a human, and somebody says so."""

import asyncio
import dataclasses

import pytest

from opensip.agent.outcome import Escalate, Hangup
from opensip.agent.providers import (
    Say,
    Transfer,
    Understood,
)
from opensip.agent.providers.scripted import (
    ScriptedDialogue,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from opensip.agent.spoken import standing_words
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from opensip.events import (
    AgentSaid,
    ProviderFailed,
)
from tests.fakes.talk import AGENT, BYE, Talk, run, voice

ALONE = dataclasses.replace(AGENT, directory={})


def test_after_a_failed_transfer_the_agent_goes_on():
    async def main():
        transfer = [Say("One moment."), Transfer("human", "", 0.0, "asked")]
        talk = Talk([transfer, [Say("Nobody is there.")], BYE], [Understood("goodbye", 1.0)])
        assert isinstance(await talk.run(), Escalate)
        await asyncio.sleep(5)
        talk.session.transfer_failed("busy")
        talk.at(3, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("said goodbye")
        assert "agent: Nobody is there." in talk.session.conversation.transcript()

    run(main())


def test_a_failing_recognizer_is_followed_by_the_next_which_gets_the_whole_turn():
    async def main():
        bad = ScriptedRecognizer([ProviderError("gone")])
        good = ScriptedRecognizer([Understood("goodbye", 1.0)])
        talk = Talk([[Say("Hello.")], BYE], recognizers=(bad, good))
        talk.at(1, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("said goodbye")
        assert talk.noted.of(ProviderFailed)[0].stage == "recognizer"
        assert good.fed >= 8000

    run(main())


def test_without_a_recognizer_the_agent_apologises_and_hands_over():
    async def main():
        talk = Talk([[Say("Hello.")]], [ProviderError("gone")])
        talk.at(1, talk.line.speak, voice(1.0))
        outcome = await talk.run()
        assert isinstance(outcome, Escalate)
        assert outcome.target == "human"
        assert "something went wrong" in talk.noted.of(AgentSaid)[-1].heard

    run(main())


@pytest.mark.parametrize("error", [ProviderError("gone"), ValueError("a bug of a user's")])
def test_a_failing_dialogue_is_followed_by_the_next_then_by_an_apology(error):
    class Failing(ScriptedDialogue):
        async def _next(self):
            raise error
            yield

    async def main():
        talk = Talk([], dialogues=(Failing(), ScriptedDialogue([BYE])))
        assert await talk.run() == Hangup("said goodbye")
        talk = Talk([], dialogues=(Failing(),))
        assert isinstance(await talk.run(), Escalate)
        assert "something went wrong" in talk.noted.of(AgentSaid)[-1].heard
        assert talk.noted.of(ProviderFailed)[0].stage == "dialogue"

    run(main())


def test_a_failing_voice_is_followed_by_the_next_then_by_silence_and_a_human():
    async def main():
        bad, good = ScriptedSynthesizer(fails_at=0), ScriptedSynthesizer()
        talk = Talk([BYE], synthesizers=(bad, good))
        assert await talk.run() == Hangup("said goodbye")
        assert talk.noted.of(AgentSaid)[0].heard == "Goodbye."
        talk = Talk([BYE], synthesizers=(ScriptedSynthesizer(fails_at=0),))
        assert isinstance(await talk.run(), Escalate)
        assert talk.noted.of(ProviderFailed)[0].stage == "synthesizer"

    run(main())


def test_without_anybody_to_take_over_it_asks_to_call_again():
    async def main():
        gone = [ProviderError("gone")]
        talk = Talk([[Say("Hello.")], gone], [Understood("where is it", 1.0)], agent=ALONE)
        talk.at(2, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("gone")
        assert talk.session.conversation.turns[-1].text == (
            "I am sorry, something went wrong on our side. Please call again later. Goodbye."
        )

    run(main())


def test_who_was_not_taken_over_the_first_time_is_asked_to_call_again():
    async def main():
        gone = [ProviderError("gone")]
        said = [Understood("where is it", 1.0)] * 2
        talk = Talk([[Say("Hello.")], gone, [Say("Nobody is there.")], gone], said)
        talk.at(2, talk.line.speak, voice(1.0))
        outcome = await talk.run()
        assert isinstance(outcome, Escalate)
        assert outcome.why == "gone"
        talk.session.transfer_failed()
        talk.at(3, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("gone")

    run(main())


class Faulty(ScriptedSynthesizer):
    """Speaks standing words; of an answer it gives `seconds`, then nothing."""

    def __init__(self, seconds, *, standing):
        super().__init__()
        self.seconds, self.standing = seconds, standing

    async def speak(self, text):
        if text in self.standing:
            async for piece in super().speak(text):
                yield piece
            return
        await asyncio.sleep(0.3)
        if self.seconds:
            yield tone(400, self.seconds, 8000)
        await asyncio.sleep(4.0)  # by default the limit of a service
        raise ProviderError("no sound within 4 s")


@pytest.mark.parametrize("faults", [(0.2,), (0.0,), (0.2, 0.0), (0.2, 0.2), (0.0, 0.2)])
def test_no_dead_air_where_voices_stall_with_the_limits_of_ours(faults):
    async def main():
        agent = dataclasses.replace(AGENT, kind="model", persona="You are Ada.", greeting="Hello.")
        standing = [*standing_words(agent)]
        voices = [Faulty(seconds, standing=standing) for seconds in faults]
        talk = Talk(
            [[Say("Hello.")], [Say("Your order is on its way to you.")], BYE],
            [Understood("where is it", 1.0), Understood("goodbye", 1.0)],
            synthesizers=(*voices, ScriptedSynthesizer()), agent=agent,
        )  # fmt: skip
        await talk.session.prepare()
        await asyncio.sleep(3)
        talk.line.answered()
        talk.at(1, talk.line.speak, voice(1.0))
        talk.at(20, talk.line.speak, voice(1.0))
        running = asyncio.create_task(talk.session.run())
        await asyncio.sleep(1.5)
        longest, since = 0.0, asyncio.get_running_loop().time()
        while len(talk.noted.of(AgentSaid)) < 2:
            await asyncio.sleep(0.02)
            if talk.line.queued() or talk.line.speaking():
                since = asyncio.get_running_loop().time()
            longest = max(longest, asyncio.get_running_loop().time() - since)
        await running
        await talk.session.close()
        return longest, [event.heard for event in talk.noted.of(AgentSaid)]

    longest, heard = run(main())
    assert longest < 3.0
    assert heard[1] == "Your order is on its way to you."
