"""Whole conversations under virtual time, with providers that take exactly as long as told."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensip.agent.outcome import CallerLeft, Escalate, Hangup
from opensip.agent.providers import (
    Expectation,
    HangUp,
    Looked,
    Meant,
    Say,
    Transfer,
    Understood,
)
from opensip.agent.providers.scripted import ScriptedRecognizer
from opensip.audio.frame import Steady
from opensip.events import (
    AgentSaid,
    BargedIn,
    CallerSaid,
    Escalated,
    FillerSaid,
    SpeechEnded,
    SpeechStarted,
    ToolCalled,
    TurnDecided,
    TurnTaken,
)
from tests.fakes.line import Line
from tests.fakes.talk import AGENT, BYE, LONG, Talk, run, voice


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


def test_a_voice_that_goes_on_comes_in_longer_frames_amid_a_turn_alone():
    async def main():
        talk = Talk([[Say("Hello.")], BYE], [Understood("goodbye", 0.9)])
        line, seen = talk.line, {}
        talk.at(2, line.speak, voice(1.0))
        for at in (0.3, 1.9, 2.01, 2.15, 2.9, 3.1, 3.4):
            talk.at(at, lambda at=at: seen.update({at: line.steady}))
        await talk.run()
        assert [at for at, steady in seen.items() if steady is Steady.VOICE] == [2.15, 2.9]
        assert seen[0.3] is Steady.SILENCE  # the agent speaks, and nobody else
        assert seen[1.9] is seen[2.01] is seen[3.1] is line.steady is Steady.NOTHING
        assert talk.noted.of(SpeechEnded)[0].voiced_until == pytest.approx(3.0, abs=0.03)

    run(main())


class Each20(Line):
    """A line that never waits for more of what goes on."""

    steady = property(lambda self: Steady.NOTHING, lambda self, wish: None)


def test_silence_in_longer_frames_leaves_the_same_traces_of_our_own_voice():
    async def main(line_type):
        talk = Talk([[Say(LONG)], BYE], [Understood("goodbye", 0.9)], line_type=line_type)
        kept = []
        talk.at(1.59, talk.line.speak, voice(0.1))  # ends a frame of silence before its time
        talk.at(1.70, lambda: kept.append(list(talk.session._mouth.own._own)))
        talk.at(8, talk.line.speak, voice(1.0))
        await talk.run()
        return kept

    assert run(main(Line)) == run(main(Each20))


def test_what_goes_by_frames_gets_short_ones():
    async def main():
        agent = dataclasses.replace(AGENT, must_be_heard=(LONG,))
        talk = Talk([[Say(LONG)], BYE], agent=agent, expectation=Expectation(keys=1))
        line, seen = talk.line, {}
        talk.at(1, talk.session.digit, "4")  # answered when the words are over
        for at in (0.9, 1.15, 3.0):
            talk.at(at, lambda at=at: seen.update({at: line.steady}))
        assert await talk.run() == Hangup("said goodbye")
        assert seen == {0.9: Steady.SILENCE, 1.15: Steady.NOTHING, 3.0: Steady.NOTHING}

    run(main())


def test_whoever_speaks_right_after_the_agent_is_heard_in_short_frames():
    async def main():
        talk = Talk([[Say("Hello.")], BYE], [Understood("goodbye", 0.9)])
        line, seen = talk.line, {}
        talk.at(0.9, line.speak, voice(1.5))  # an echo of "Hello." may still come
        for at in (1.0, 2.0):
            talk.at(at, lambda at=at: seen.update({at: line.steady}))
        await talk.run()
        assert seen == {1.0: Steady.NOTHING, 2.0: Steady.VOICE}

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


def test_words_of_a_slow_recognizer_are_a_turn_though_the_agent_spoke_on():
    async def main():
        slow = ScriptedRecognizer([Understood("a person", 0.9)], delay=1.2)
        talk = Talk([[Say(LONG)], BYE], recognizers=(slow,))
        talk.at(1, talk.line.speak, voice(0.6))
        assert await talk.run() == Hangup("said goodbye")
        decisions = [event.decision for event in talk.noted.of(TurnDecided)]
        kept = [d for d in decisions if d in ("paused", "resumed", "interrupted", "committed")]
        assert kept == ["paused", "resumed", "interrupted", "committed"]
        paused, resumed, *_ = (d for d in talk.noted.of(TurnDecided) if d.decision in kept)
        assert resumed.after_ms == pytest.approx((resumed.at - paused.at) * 1000)
        assert paused.after_ms is None
        assert [event.text for event in talk.noted.of(CallerSaid)] == ["a person"]
        assert talk.noted.of(AgentSaid)[0].interrupted

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
