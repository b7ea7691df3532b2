"""Keys that the caller presses in a session."""

import dataclasses

import pytest

from opensip.agent.outcome import Hangup
from opensip.agent.providers import (
    Expectation,
    Say,
    Understood,
)
from opensip.events import (
    AgentSaid,
    CallerSaid,
)
from tests.fakes.talk import AGENT, BYE, LONG, Talk, run


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


def test_a_hash_after_a_number_of_known_length_neither_stops_its_answer_nor_is_a_turn():
    async def main():
        talk = Talk([[Say("Your number?")], [Say(LONG)], BYE], expectation=Expectation(keys=4))
        for n, digit in enumerate("4217#"):
            talk.at(1 + n / 2, talk.session.digit, digit)
        talk.at(10, talk.session.digit, "7")
        assert await talk.run() == Hangup("said goodbye")
        assert talk.dialogue.turns == [
            Understood("4217", 1.0, "dtmf"),
            Understood("7", 1.0, "dtmf"),
        ]
        assert talk.noted.of(AgentSaid)[1].heard == LONG

    run(main())
