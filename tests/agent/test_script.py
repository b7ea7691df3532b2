import asyncio

import pytest

from opensip.agent.definition import Action, Agent, Intent, State
from opensip.agent.providers import HangUp, Looked, Meant, Press, Record, Say, Transfer, Understood
from opensip.agent.script import Script
from tests.fakes.shop import shop


def take(acts):
    async def main():
        return [act async for act in acts]

    return asyncio.run(main())


def words(acts):
    return " ".join(act.text for act in acts if isinstance(act, Say))


def said(script, text, *, way="voice"):
    return take(script.answer(Understood(text, 0.9, way)))


def asked_for_order():
    script = Script(shop())
    said(script, "where is my order please")
    return script


def test_it_greets_and_asks():
    assert words(take(Script(shop()).open())) == (
        "Hello, this is Harbor Lamps. How can I help you?"
    )


def test_questions_are_answered():
    script = Script(shop())
    assert "from 9 o'clock in the morning to 6 o'clock in the evening" in words(
        said(script, "what are your opening hours")
    )
    assert "12 Harbor Street" in words(said(script, "where are you located"))


def test_an_order_is_read_back_confirmed_and_looked_up():
    script = asked_for_order()
    acts = said(script, "four two one seven")
    assert Meant("order", 0.9, "order_status", {"order": "4217"}) in acts
    assert words(acts) == "I heard four two one seven. Is that right?"
    acts = said(script, "yes that's right")
    looked = next(act for act in acts if isinstance(act, Looked))
    assert looked.arguments == {"table": "orders", "key": "4217"}
    assert words(acts).startswith("Order four two one seven: one brass table lamp, it was shipped")


def test_what_a_number_else_sounded_like_is_offered_before_it_is_said_again():
    script = asked_for_order()
    heard = Understood("four two one eight", 0.9, others=("repeat that", "four two one seven"))
    take(script.answer(heard))
    assert words(said(script, "no")) == "I heard four two one seven. Is that right?"
    assert script.failures == 0
    assert words(said(script, "yes")).startswith("Order four two one seven")


def test_who_says_no_to_both_readings_is_asked_again_and_hears_neither_again():
    script = asked_for_order()
    heard = Understood("four two one eight", 0.9, others=("four two one six",))
    take(script.answer(heard))
    said(script, "no")
    assert words(said(script, "no")).startswith("Please say or key in the four digits")
    again = Understood("four two one six", 0.9, others=("four two one eight", "four two one seven"))
    assert words(take(script.answer(again))) == "I heard four two one seven. Is that right?"


def test_a_wrong_reading_is_asked_for_again():
    script = asked_for_order()
    said(script, "four two one eight")
    assert words(said(script, "no")).startswith("Please say or key in the four digits")
    assert words(said(script, "four two one seven")).startswith("I heard four two one seven.")


def test_a_number_said_in_place_of_yes_corrects_it():
    script = asked_for_order()
    said(script, "four two one eight")
    assert words(said(script, "four two one seven")).startswith("I heard four two one seven.")


def test_keyed_digits_need_no_confirming_and_no_question_before():
    acts = said(Script(shop()), "9503", way="dtmf")
    assert "chandelier" in words(acts)
    assert "2 o'clock in the afternoon" in words(acts)


def test_an_order_nobody_knows_is_apologised_for_then_given_to_a_human():
    script = asked_for_order()
    acts = said(script, "1111", way="dtmf")
    assert words(acts).startswith("I am sorry, I found no order one one one one. Please say")
    acts = said(script, "1112", way="dtmf")
    assert words(acts).endswith("I am connecting you to a colleague.")
    assert acts[-1] == Transfer("human", "order_status", 0.0, "2 failures in a row")


def test_not_understanding_helps_once_then_escalates():
    script = Script(shop())
    assert words(said(script, "")) == (
        "Sorry, I did not understand. You can ask for your order, our opening hours, our address,"
        " or a person."
    )
    said(script, "where is the shop")
    said(script, "")
    acts = said(script, "")
    assert isinstance(acts[-1], Transfer)
    assert "Sorry, I did not understand." in words(acts)


@pytest.mark.parametrize(
    "text",
    [
        "representative",
        "a person",
        "an agent please",
        "can i speak to a person please",
        "i want a human",
    ],
)
def test_a_person_is_had_for_the_asking_with_what_was_wanted_before(text):
    script = asked_for_order()
    acts = said(script, text)
    assert words(acts) == "One moment please, I am connecting you to a colleague."
    assert acts[-1] == Transfer("human", "order_status", 0.9, "the caller asked")


def test_zero_is_a_person_too():
    assert said(Script(shop()), "0", way="dtmf")[-1].target == "human"


def test_an_emergency_goes_to_its_own_entry_from_anywhere():
    script = asked_for_order()
    said(script, "four two one seven")
    acts = said(script, "this is an emergency")
    assert acts[-1] == Transfer("emergency", "emergency", 0.9, "the caller asked")


def test_goodbye_hangs_up():
    acts = said(Script(shop()), "that is all thank you")
    assert isinstance(acts[-1], HangUp)
    assert "Goodbye." in words(acts)


def test_the_last_answer_can_be_repeated():
    script = Script(shop())
    first = words(said(script, "what is your address"))
    assert words(said(script, "can you repeat that please")) == first


def test_silence_is_asked_about_once_then_ends_the_call():
    script = Script(shop())
    assert words(take(script.idle())).startswith("Are you still there?")
    acts = take(script.idle())
    assert isinstance(acts[-1], HangUp)
    said(script, "where is my order")
    assert not isinstance(take(script.idle())[-1], HangUp)


def test_a_failed_transfer_begins_anew():
    script = asked_for_order()
    assert words(take(script.transfer_failed(""))) == (
        "I am sorry, a colleague is not available right now. I am still here. What else can I do"
        " for you?"
    )
    assert script.state == "main"
    assert words(take(script.transfer_failed("They are busy."))).startswith("They are busy.")


def test_what_is_listened_for_follows_the_state():
    script = Script(shop())
    assert "opening hours" in script.expectation().jsgf
    assert script.expectation().keys == 4
    said(script, "where is my order")
    asking = script.expectation()
    assert "<digit> <digit> <digit> <digit>" in asking.jsgf
    assert asking.end_silence > Script(shop()).expectation().end_silence
    said(script, "four two one seven")
    assert "that's right" in script.expectation().jsgf


def wishes(script, *texts):
    acts = [act for text in texts for act in said(script, text)]
    return [act.wish for act in acts if isinstance(act, Meant)]


def test_who_says_yes_hears_it_again_or_leaves_still_wants_what_he_wanted():
    texts = ("four two one seven", "yes", "say that again", "nothing else")
    assert set(wishes(asked_for_order(), *texts)) == {"order_status"}


def test_a_goodbye_alone_is_no_wish_and_a_number_alone_is_one():
    assert wishes(Script(shop()), "goodbye") == [""]
    texts = ("four two one seven", "yes")
    assert wishes(Script(shop(), state="order"), *texts) == ["order"] * 3


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_the_recording_stops_before_anything_is_said(verb):
    action = Action(say="Your card, please.", recording=verb)
    agent = Agent(
        "till",
        states={"main": State(intents=("pay",))},
        intents={"pay": Intent(("pay",), action)},
    )
    assert said(Script(agent), "pay")[1:] == [Record(verb == "resume"), Say("Your card, please.")]


def test_keys_are_pressed_after_the_words_and_before_what_follows():
    action = Action(say="One moment.", press="1#", go="next")
    agent = Agent(
        "menu",
        states={"main": State(intents=("accounts",)), "next": State(ask="And now?")},
        intents={"accounts": Intent(("accounts",), action)},
    )
    assert said(Script(agent), "accounts")[1:] == [
        Say("One moment."), Press("1#"), Say("And now?"),
    ]  # fmt: skip
