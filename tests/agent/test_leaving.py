"""What a caller does while the last words are said, or while someone else is called."""

import asyncio
import dataclasses

import pytest

from opensip.agent.definition import Entry
from opensip.agent.outcome import Escalate, Hangup
from opensip.agent.providers import Expectation, HangUp, Say, Transfer, Understood
from opensip.agent.providers.scripted import ScriptedDialogue
from opensip.events import AgentSaid, BargedIn, CallerSaid, Escalated, FillerSaid
from tests.fakes.talk import AGENT, LONG, Talk, run, voice

FAREWELL = "Thank you for calling, your lamp will be sent tomorrow, and goodbye."
TO_SALES = Transfer("sales", "buy a lamp", 1.0, "the model asked")
TWO = dataclasses.replace(
    AGENT, directory=AGENT.directory | {"sales": Entry("sip:sales@example.com")}
)


@pytest.mark.parametrize("last", [HangUp("done"), TO_SALES])
@pytest.mark.parametrize("seconds", [0.3, 1.2, 6.0])
def test_who_speaks_on_over_the_last_words_hears_them_all(last, seconds):
    async def main():
        said = [Understood("no wait", 1.0)] * 9
        talk = Talk([[Say(FAREWELL), last], [Say("Never said.")]], said, agent=TWO)
        talk.at(0.6, talk.line.speak, voice(seconds))
        outcome = await talk.run()
        assert [event.heard for event in talk.noted.of(AgentSaid)] == [FAREWELL]
        assert isinstance(outcome, Hangup if isinstance(last, HangUp) else Escalate)
        assert talk.noted.of(BargedIn) == []
        assert talk.dialogue.turns == []

    run(main())


def test_keys_over_the_last_words_change_nothing():
    async def main():
        talk = Talk([[Say(FAREWELL), HangUp("done")], [Say("Never said.")]],
                    expectation=Expectation(keys=1))  # fmt: skip
        for n, key in enumerate("1#"):
            talk.at(0.8 + n, talk.session.digit, key)
        assert await talk.run() == Hangup("done")
        assert [event.heard for event in talk.noted.of(AgentSaid)] == [FAREWELL]
        assert talk.dialogue.turns == []

    run(main())


def test_of_two_ways_to_leave_the_later_counts_and_one_person_is_wanted():
    async def main():
        other = Transfer("human", "complain", 1.0, "the model asked again")
        talk = Talk([[Say("One moment."), TO_SALES, other]], agent=TWO)
        outcome = await talk.run()
        assert isinstance(outcome, Escalate)
        assert [event.target for event in talk.noted.of(Escalated)] == [outcome.target]
        assert outcome.target == "human"

    run(main())


def test_a_second_transfer_after_one_that_failed_is_a_new_one():
    async def main():
        again = [Say("I connect you to a colleague."), Transfer("human", "x", 1.0, "again")]
        talk = Talk(
            [[Say("One moment."), TO_SALES], [Say("Nobody is there.")], again],
            [Understood("then someone else", 1.0)], agent=TWO,
        )  # fmt: skip
        assert (await talk.run()).target == "sales"
        talk.session.digit("5")  # while it rings there: for nobody
        talk.session.transfer_failed()
        talk.at(3.0, talk.line.speak, voice(1.0))
        outcome = await talk.run()
        assert outcome.target == "human"
        assert [turn.text for turn in talk.dialogue.turns] == ["then someone else"]
        assert talk.noted.of(AgentSaid)[-1].heard == "I connect you to a colleague."

    run(main())


def test_a_filler_is_no_answer_and_no_history_and_is_counted_apart():
    async def main():
        agent = dataclasses.replace(AGENT, fillers=("One moment.",))
        said = [Understood("where is it", 1.0), Understood("bye", 1.0)]
        talk = Talk([[Say("Hello.")], [Say("Here it is.")], [HangUp("done")]], said, agent=agent)
        await talk.session.prepare()
        talk.dialogue._delay = 0.1
        talk.at(1.5, setattr, talk.dialogue, "_delay", 3.0)
        talk.at(2.0, talk.line.speak, voice(1.0))
        talk.at(8.0, setattr, talk.dialogue, "_delay", 0.1)
        talk.at(9.0, talk.line.speak, voice(1.0))
        await talk.run()
        await talk.session.close()
        fillers = talk.noted.of(FillerSaid)
        assert fillers
        assert fillers[0].at < 3.0 + 1.5  # before a second and a half of silence
        assert [event.text for event in talk.noted.of(AgentSaid)] == ["Hello.", "Here it is."]
        assert talk.dialogue.heard_texts[:2] == ["Hello.", "Here it is."]
        assert len(talk.noted.of(CallerSaid)) == 2

    run(main())


def test_what_is_paused_when_it_comes_to_what_must_be_heard_goes_on():
    async def main():
        notice = "This call is recorded, as the law of the land wants you to know."
        agent = dataclasses.replace(AGENT, must_be_heard=(notice,))
        first = "Welcome to Harbor Lamps, the shop for every lamp."
        talk = Talk([[Say(first), Say(notice)], [Say("Goodbye."), HangUp("done")]],
                    [Understood("hello there", 1.0)] * 3, agent=agent)  # fmt: skip
        talk.at(0.25 + len(first) * 0.06 - 0.02, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("done")
        heard = [event.heard for event in talk.noted.of(AgentSaid)]
        assert heard == [f"{first} {notice}", "Goodbye."]
        assert sum(seconds for _, seconds in talk.line.pauses) < 0.2

    run(main())


def test_a_voice_amid_what_must_be_heard_is_answered_after_it():
    async def main():
        agent = dataclasses.replace(AGENT, must_be_heard=(LONG,))
        talk = Talk([[Say(LONG)], [Say("Goodbye."), HangUp("done")]],
                    [Understood("stop", 1.0)], agent=agent)  # fmt: skip
        talk.at(1.0, talk.line.speak, voice(1.0))
        assert await talk.run() == Hangup("done")
        assert [event.heard for event in talk.noted.of(AgentSaid)] == [LONG, "Goodbye."]
        assert [turn.text for turn in talk.dialogue.turns] == ["stop"]
        assert talk.line.pauses == []
        assert asyncio.get_running_loop().time() > len(LONG) * 0.06

    run(main())


def test_whom_nobody_could_reach_is_named_and_not_somebody_else():
    class Telling(ScriptedDialogue):
        async def transfer_failed(self, words):
            yield Say(words)

    directory = {"human": Entry("sip:desk@example.com", "the desk"),
                 "sales": Entry("sip:sales@example.com", "our sales")}  # fmt: skip
    agent = dataclasses.replace(AGENT, directory=directory)

    async def main():
        dialogue = Telling([[Say("One moment."), TO_SALES]])
        talk = Talk([], dialogues=(dialogue,), agent=agent)
        assert (await talk.run()).target == "sales"
        talk.session.transfer_failed()
        talk.at(6.0, talk.line.hang_up)
        await talk.run()
        assert talk.noted.of(AgentSaid)[-1].heard == "I am sorry, I could not reach our sales."

    run(main())
