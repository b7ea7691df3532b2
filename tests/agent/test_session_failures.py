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
