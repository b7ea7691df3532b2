import dataclasses
import json

import pytest

from opensip.agent.chat import Used
from opensip.agent.memory import Call
from opensip.agent.model import LONGEST_ANSWER
from opensip.agent.providers import (
    Brief,
    Expectation,
    HangUp,
    Prompted,
    Say,
    Transfer,
    Understood,
)
from opensip.errors import ProviderError
from tests.fakes.chat_model import FakeChat
from tests.fakes.model_agent import AGENT, ORDER, answers, dialogue, run, taken


def test_it_greets_in_the_agents_words_or_in_its_own():
    async def main():
        chat = FakeChat(["Good ", "day. "])
        assert await taken(dialogue(chat).open()) == [Say("Hello, this is Harbor Lamps.")]
        assert chat.requests == []
        silent = dialogue(chat, dataclasses.replace(AGENT, greeting=""))
        assert await taken(silent.open()) == [Say("Good day.")]

    run(main)


def test_words_are_said_by_clause_and_without_markdown():
    chat = FakeChat(["**Of cour", "se**, I will look. It", " is 🙂 here.", Used("m-1", 5, 2)])
    *said, prompted = answers(chat)
    assert said[0] == Say("Of course,")
    assert isinstance(prompted, Prompted | Say)
    acts = [*said, prompted]
    assert [act.text for act in acts if isinstance(act, Say)] == [
        "Of course,", "I will look.", "It is here.",
    ]  # fmt: skip
    [used] = [act for act in acts if isinstance(act, Prompted)]
    assert (used.provider, used.model, used.tokens_in, used.tokens_out) == ("main", "m-1", 5, 2)
    assert len(used.prompt) == 8


def test_a_model_that_says_nothing_has_failed():
    with pytest.raises(ProviderError, match="the model said nothing"):
        answers(FakeChat([""]))


def test_a_model_that_never_stops_is_stopped():
    chat = FakeChat(["This goes on and on; "] * 1000)
    said = answers(chat)
    assert sum(len(act.text) for act in said) < LONGEST_ANSWER + 300
    assert chat.closed == 1


def test_nothing_understood_twice_leads_to_a_person():
    async def main():
        talk = dialogue(FakeChat())
        assert await taken(talk.answer(Understood(""))) == [
            Say("Sorry, I did not understand that.")
        ]
        acts = await taken(talk.answer(Understood(" ")))
        assert acts[-1] == Transfer("human", "", 0.0, "2 failures in a row")
        lonely = dialogue(FakeChat(), dataclasses.replace(AGENT, directory={}))
        for _ in range(3):
            acts = await taken(lonely.answer(Understood("")))
        assert acts == [Say("Sorry, I did not understand that.")]

    run(main)


def test_keys_are_told_as_keys():
    chat = FakeChat(["Thanks."])
    answers(chat, Understood("42", 1.0, "dtmf"))
    assert chat.requests[0][0][-1]["content"] == "(The caller pressed the keys 4 2.)"


def test_idle_callers_are_asked_and_then_left():
    async def main():
        talk = dialogue(FakeChat(), dataclasses.replace(AGENT, idle_prompts=("Hm?", "Hello?")))
        assert await taken(talk.idle()) == [Say("Hm?")]
        assert await taken(talk.idle()) == [Say("Hello?")]
        assert (await taken(talk.idle()))[-1] == HangUp("the caller was silent")

    run(main)


def test_after_a_failed_transfer_it_says_so_without_a_model():
    async def main():
        chat = FakeChat(["Of course."])
        talk = dialogue(chat)
        acts = await taken(talk.transfer_failed(""))
        assert acts[0] == Say("I am sorry, I could not reach the front desk.")
        talk.heard(acts[0].text, interrupted=False)
        await taken(talk.answer(ORDER))
        assert "Nobody took the call" in chat.requests[0][0][1]["content"]
        assert [m["role"] for m in chat.requests[0][0]] == ["system", "user", "assistant", "user"]

    run(main)


def test_another_dialogue_goes_on_where_this_one_broke_off_and_repeats_nothing():
    async def main():
        first = FakeChat(["One moment, please. I will look", ProviderError("gone")])
        second = FakeChat(["One moment, please. It is a lamp."], name="backup")
        brief = Brief(AGENT, "main")
        talk, other = dialogue(first, brief=brief), dialogue(second, brief=brief)
        with pytest.raises(ProviderError):
            await taken(talk.answer(ORDER))
        said = await taken(other.answer(ORDER))
        assert said == [Say("please. It is a lamp.")]
        assert [m["content"] for m in second.requests[0][0]][1:3] == [
            "Where is order 4217?", "One moment,",
        ]  # fmt: skip

    run(main)


def test_it_makes_ready_when_told():
    async def main():
        chat = FakeChat()
        await dialogue(chat).prepare()
        assert chat.prepared == 1

    run(main)


def test_a_noise_that_cut_an_answer_off_lets_it_go_on():
    async def main():
        chat = FakeChat(["We are open from nine to six."], ["As I said, from nine to six."])
        talk = dialogue(chat)
        await taken(talk.answer(Understood("When are you open?")))
        talk.heard("We are open", interrupted=True)
        assert await taken(talk.answer(Understood(""))) == [
            Say("As I said, from nine to six."),
        ]
        shown = [m["content"] for m in chat.requests[1][0]][1:]
        assert shown[:2] == ["When are you open?", "We are open …"]
        assert "Go on where you were interrupted" in shown[2]
        talk.heard("As I said, from nine to six.", interrupted=False)
        assert await taken(talk.answer(Understood(""))) == [
            Say("Sorry, I did not understand that.")
        ]

    run(main)


@pytest.mark.parametrize(
    ("asked", "silence"),
    [
        ("What is the number of your order?", 0.9),
        ("Please spell your name.", 0.9),
        ("Could you spell that for me?", 0.9),
        ("Your number is on its way. Anything else?", 0.55),
    ],
)
def test_numbers_and_spelled_things_are_given_longer(asked, silence):
    async def main():
        talk = dialogue(FakeChat([asked]))
        await taken(talk.answer(ORDER))
        return talk.expectation().end_silence

    assert run(main) == silence


def test_digits_that_are_asked_for_end_by_their_number():
    async def main():
        collect = Call("1", "collect_digits", '{"count": 4}')
        chat = FakeChat([collect], ["Please key it in."], ["Thanks."])
        talk = dialogue(chat)
        await taken(talk.answer(ORDER))
        assert talk.expectation() == Expectation(keys=4, end_silence=0.9)
        await taken(talk.answer(Understood("4217", 1.0, "dtmf")))
        assert talk.expectation() == Expectation()

    run(main)


def test_half_a_character_in_what_was_heard_or_found_is_sent_to_no_model():
    chat = FakeChat([Call("1", "look_up", '{"table": "orders", "key": "4217"}')], ["A lamp."])
    shop = dataclasses.replace(AGENT, data={"orders": {"4217": {"item": "a lamp \ud83d"}}},
                               persona="You are Ada. {caller}")  # fmt: skip

    async def main():
        talk = dialogue(chat, shop)
        await taken(talk.answer(Understood("Where is it \ud83d?")))

    run(main)
    sent = json.dumps([messages for messages, _ in chat.requests], ensure_ascii=False)
    assert "Where is it ??" in sent
    sent.encode()
