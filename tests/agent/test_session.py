"""Whole conversations under virtual time, with providers that take exactly as long as told."""

import asyncio
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensip.agent.definition import Agent, Entry
from opensip.agent.outcome import CallerLeft, Escalate, Hangup
from opensip.agent.providers import (
    Expectation,
    HangUp,
    Looked,
    Meant,
    Providers,
    Say,
    Transfer,
    Understood,
)
from opensip.agent.providers.scripted import (
    ScriptedDialogue,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from opensip.agent.seat import Seat
from opensip.agent.session import AgentSession
from opensip.audio.tones import tone
from opensip.errors import ProviderError
from opensip.events import (
    AgentSaid,
    BargedIn,
    CallerSaid,
    Escalated,
    FillerSaid,
    ProviderFailed,
    SpeechEnded,
    SpeechStarted,
    ToolCalled,
    TurnTaken,
)
from tests.fakes.line import Line, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop

AGENT = Agent("test", directory={"human": Entry("sip:desk@example.com")}, idle_seconds=8.0)
ALONE = dataclasses.replace(AGENT, directory={})
BYE = [Say("Goodbye."), HangUp("said goodbye")]
LONG = "This is a rather long answer, which goes on and on, until somebody stops it."


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def voice(seconds):
    return tone(300, seconds, 8000, level_dbfs=-20)


class Talk:
    """A session on a line, with what it noted."""

    def __init__(self, answers, turns=(), *, recognizers=None, synthesizers=None, dialogues=None,
                 expectation=None, agent=AGENT):  # fmt: skip
        loop = asyncio.get_running_loop()
        self.line, self.noted = Line(), Noted()
        self.dialogue = ScriptedDialogue(answers, expectation=expectation)
        self.session = AgentSession(
            agent,
            Seat(source=self.line, sink=self.line, observer=self.noted, now=loop.time),
            providers=Providers(
                recognizers or (ScriptedRecognizer(turns),),
                dialogues or (self.dialogue,),
                synthesizers or (ScriptedSynthesizer(),),
            ),
        )

    def at(self, seconds, what, *arguments):
        asyncio.get_running_loop().call_later(seconds, what, *arguments)

    async def run(self):
        outcome = await self.session.run()
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert left == set(), "tasks outlive the conversation"
        return outcome


def test_greets_answers_and_hangs_up_and_tells_where_the_time_went():
    async def main():
        talk = Talk([[Say("Hello.")], BYE], [Understood("goodbye", 0.9)])
        talk.at(2, talk.line.speak, voice(1.0))
        outcome = await talk.run()
        assert outcome == Hangup("said goodbye")
        assert [e.heard for e in talk.noted.of(AgentSaid)] == ["Hello.", "Goodbye."]
        assert talk.session.conversation.transcript() == (
            "agent: Hello.\ncaller: goodbye\nagent: Goodbye."
        )
        taken = talk.noted.of(TurnTaken)[-1]
        # the recognizer began behind the pause, and was ready before the turn was over
        assert taken.endpointing_ms == pytest.approx(560, abs=25)
        assert taken.recognizer_ms == pytest.approx(0, abs=1)
        assert taken.dialogue_ms == pytest.approx(150, abs=1)
        assert taken.synthesizer_ms == pytest.approx(100, abs=1)
        assert taken.total_ms == pytest.approx(810, abs=30)
        assert talk.noted.of(SpeechStarted)[0].at == pytest.approx(2.0, abs=0.03)
        assert talk.noted.of(SpeechEnded)[0].voiced_until == pytest.approx(3.0, abs=0.03)
        assert talk.noted.of(CallerSaid)[0].text == "goodbye"

    run(main())


def test_the_caller_may_interrupt_and_the_history_holds_what_was_heard():
    async def main():
        talk = Talk([[Say(LONG)], BYE], [Understood("stop it", 0.9)])
        talk.at(2, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("said goodbye")
        cut = talk.noted.of(AgentSaid)[0]
        assert cut.interrupted
        assert cut.text == LONG
        assert LONG.startswith(cut.heard)
        assert 0 < len(cut.heard) < len(LONG)
        silenced, _ = talk.line.pauses[0]
        assert silenced - 2 < 0.1
        stopped, lost = talk.line.flushes[0]
        assert stopped - 2 < 0.75
        assert lost > 0
        assert talk.noted.of(BargedIn)[0].stopped_ms == pytest.approx(75, abs=20)
        assert talk.session.conversation.turns[0].text == cut.heard
        assert talk.dialogue.heard_texts[0] == cut.heard

    run(main())


def test_music_on_hold_is_neither_speech_nor_silence():
    async def main():
        talk = Talk([[Say("Hello.")], BYE], [Understood("goodbye", 0.9)])
        talk.at(5, talk.session.hold, True)
        talk.at(5.1, talk.line.speak, voice(40.0))
        talk.at(60, talk.session.hold, False)
        talk.at(62, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("said goodbye")
        assert [e.text for e in talk.noted.of(CallerSaid)] == ["goodbye"]
        assert [e.heard for e in talk.noted.of(AgentSaid)] == ["Hello.", "Goodbye."]

    run(main())


def test_a_cough_does_not_interrupt():
    async def main():
        talk = Talk([[Say(LONG), HangUp("done")]])
        talk.at(2, talk.line.speak, voice(0.12))
        await talk.run()
        assert [e.heard for e in talk.noted.of(AgentSaid)] == [LONG]
        assert talk.noted.of(BargedIn) == []

    run(main())


def test_last_words_are_not_interrupted():
    async def main():
        talk = Talk([[Say("I connect you now."), Transfer("human", "billing", 0.9, "asked")]])
        talk.at(0.5, talk.line.speak, voice(1.0))
        talk.at(0.6, talk.session.digit, "5")
        outcome = await talk.run()
        assert isinstance(outcome, Escalate)
        assert (outcome.target, outcome.intent, outcome.confidence) == ("human", "billing", 0.9)
        assert talk.noted.of(AgentSaid)[0].heard == "I connect you now."
        assert talk.noted.of(Escalated)[0].why == "asked"

    run(main())


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


def test_the_caller_hangs_up_in_the_middle_of_an_answer():
    async def main():
        talk = Talk([[Say(LONG)]])
        talk.at(2, talk.line.hang_up)
        assert await talk.run() == CallerLeft()
        assert talk.noted.of(AgentSaid)[0].interrupted
        assert LONG.startswith(talk.session.conversation.turns[0].text)

    run(main())


def test_silence_is_asked_about():
    async def main():
        talk = Talk([[Say("Hello.")], [Say("Are you there?"), HangUp("silent")]])
        assert await talk.run() == Hangup("silent")
        asked = talk.noted.of(AgentSaid)[1].at
        assert 8 < asked < 11

    run(main())


def test_digits_complete_a_number_at_once_or_after_a_while():
    async def main():
        talk = Talk([[Say("Your number?")], [Say("Thanks.")], BYE], expectation=Expectation(keys=4))
        for n, digit in enumerate("4217"):
            talk.at(1 + n / 10, talk.session.digit, digit)
        talk.at(6, talk.session.digit, "7")
        assert await talk.run() == Hangup("said goodbye")
        assert talk.dialogue.turns == [
            Understood("4217", 1.0, "dtmf"),
            Understood("7", 1.0, "dtmf"),
        ]
        first, second = talk.noted.of(CallerSaid)
        assert first.at == pytest.approx(1.3 + 0.15, abs=0.02)
        assert second.at == pytest.approx(8.0 + 0.15, abs=0.02)
        assert first.way == "dtmf"

    run(main())


def test_a_hash_ends_a_number_and_a_key_stops_the_voice():
    async def main():
        talk = Talk([[Say(LONG)], BYE])
        talk.at(1, talk.session.digit, "4")
        talk.at(1.5, talk.session.digit, "#")
        assert await talk.run() == Hangup("said goodbye")
        assert talk.dialogue.turns == [Understood("4", 1.0, "dtmf")]
        assert talk.line.flushes[0][0] == pytest.approx(1.0)

    run(main())


def test_a_key_during_what_must_be_heard_is_answered_after_it():
    async def main():
        agent = dataclasses.replace(AGENT, must_be_heard=(LONG,))
        keys = Expectation(keys=1)
        talk = Talk([[Say(LONG)], BYE], agent=agent, expectation=keys)
        talk.at(1, talk.session.digit, "4")
        assert await talk.run() == Hangup("said goodbye")
        assert talk.dialogue.turns == [Understood("4", 1.0, "dtmf")]
        assert talk.noted.of(AgentSaid)[0].heard == LONG

    run(main())


def test_what_was_meant_and_looked_up_is_noted():
    async def main():
        acts = [
            Meant("order", 0.7, "order_status", {"order": "4217"}),
            Looked("look_up", {"key": "4217"}, {"item": "lamp"}),
            *BYE,
        ]
        talk = Talk([[Say("Hello.")], acts], [Understood("four two one seven", 0.7)])
        talk.at(1, talk.line.speak, voice(1.0))
        await talk.run()
        said = talk.noted.of(CallerSaid)[0]
        assert (said.intent, said.slots) == ("order", {"order": "4217"})
        assert talk.noted.of(ToolCalled)[0].result == {"item": "lamp"}
        assert talk.session.conversation.intent == "order_status"
        assert talk.session.conversation.fields == {"order": "4217"}

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


def test_words_beside_the_dialogue_are_heard_before_it_begins():
    async def main():
        talk = Talk([BYE])
        assert await talk.session.say("This call is recorded.") == "This call is recorded."
        await talk.run()
        assert talk.session.conversation.turns[0].text == "This call is recorded."
        await talk.session.close()

    run(main())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0.02, 2)), max_size=4), st.booleans())
def test_whatever_the_caller_does_one_voice_speaks_and_nothing_unheard_is_history(spans, key):
    async def main():
        talk = Talk([[Say(LONG)]] * 30, [Understood("words", 0.5)] * 30)
        talk.line.speak(np.concatenate([
            np.zeros(160, np.int16),
            *(part for pause, speech in spans
              for part in (np.zeros(int(pause * 8000), np.int16), voice(speech))),
        ]))  # fmt: skip
        if key:
            talk.at(1.5, talk.session.digit, "3")
        talk.at(8, talk.line.hang_up)
        assert await talk.run() == CallerLeft()
        for said in talk.noted.of(AgentSaid):
            assert said.text in (LONG, "")
            assert LONG.startswith(said.heard)
        played = talk.line.played()
        assert played <= 8 * 8000 + 160
        heard = [t.text for t in talk.session.conversation.turns if t.speaker == "agent"]
        assert heard == [s.heard for s in talk.noted.of(AgentSaid) if s.heard]

    run(main())


def test_words_are_kept_though_the_answer_was_broken_off_before_it_began():
    async def main():
        said = [Understood("where is my", 1.0), Understood("order", 1.0)]
        talk = Talk([[Say("Hello.")], [Say("Never said.")], BYE], said)
        talk.dialogue._delay = 0.5
        talk.at(2, talk.line.speak, voice(1.0))
        talk.at(3.75, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("said goodbye")
        assert [event.text for event in talk.noted.of(CallerSaid)] == ["where is my", "order"]
        assert [event.heard for event in talk.noted.of(AgentSaid)] == ["Hello.", "Goodbye."]

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


def test_a_wait_is_bridged_and_the_first_words_are_ready():
    async def main():
        agent = dataclasses.replace(AGENT, greeting="Hello.", fillers=("One moment.",))
        talk = Talk([[Say("Hello.")], BYE], [Understood("goodbye", 1.0)], agent=agent)
        await talk.session.prepare()
        assert talk.line.queued() == 0
        talk.dialogue._delay = 4.0
        talk.at(6, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("said goodbye")
        await talk.session.close()
        waited = [event.waited_ms for event in talk.noted.of(FillerSaid)]
        assert waited[0] == pytest.approx(700, abs=50)  # the greeting is no answer to a turn
        assert waited[2] == pytest.approx(700 + 550, abs=50)
        assert len(waited) == 4  # two before the greeting, which took four seconds, and two more
        assert "One moment" not in talk.session.conversation.transcript()

    run(main())


def test_an_answer_in_the_agents_own_words_is_no_echo():
    async def main():
        talk = Talk([[Say("Tuesday at nine or Friday at ten, what do you want?")], BYE])
        told = lambda: talk.session._ear.told("Friday at ten", True, False)  # noqa: E731
        talk.at(1.5, talk.line.speak, voice(0.3))
        talk.at(2.0, told)
        talk.at(9.0, talk.line.hang_up)
        await talk.run()
        assert talk.noted.of(AgentSaid)[0].heard != talk.noted.of(AgentSaid)[0].text

    run(main())
