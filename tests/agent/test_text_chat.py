import asyncio
import dataclasses

from opensip.agent import text_chat
from opensip.agent.chat import Used
from opensip.agent.memory import Call
from opensip.agent.text_chat import TextChat
from opensip.agent.withheld import Settled
from opensip.errors import ProviderError
from tests.fakes.chat_model import FakeChat
from tests.fakes.model_agent import AGENT, FIND, HUMAN, dialogue
from tests.fakes.virtual_time_loop import VirtualTimeLoop

SORRY = "I am sorry, something went wrong on our side."


def talk(monkeypatch, chat, *lines, agent=AGENT):
    told, goes_on = [], []

    async def main():
        monkeypatch.setattr(text_chat, "make_dialogues", lambda *_: (dialogue(chat, agent),))
        chatting = TextChat(agent, {}, lambda what, text: told.append((what, text)))
        goes_on.append(await chatting.open())
        for line in lines:
            goes_on.append(await chatting.say(line))
        await chatting.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())
    return told, goes_on


def test_what_is_said_and_done_is_told_as_it_comes(monkeypatch):
    note = Call("3", "note_outcome", '{"outcome": "resolved"}')
    first = ["I look that up for you. It", " takes long", FIND, Used("m-1", 4, 1)]
    chat = FakeChat(first, ["It is a lamp.", Used("m-1", 5, 2)], [note], ["Fine."], [HUMAN])
    told, goes_on = talk(monkeypatch, chat, "Where is order 4217?", "keys:1", "A person!")
    assert goes_on == [True, True, True, False]
    assert told[:7] == [
        ("agent", "Hello, this is Harbor Lamps."),
        ("agent", "I look that up for you."),
        ("agent", "It takes long"),
        ("model", "m-1 of main, 4 tokens in, 1 out"),
        ("tool", "look_up(table='orders', key='4217') in 0 ms: {'item': 'a lamp'}"),
        ("agent", "It is a lamp."),
        ("model", "m-1 of main, 5 tokens in, 2 out"),
    ]
    assert ("noted", "resolved") in told
    assert told[-1] == ("transfers", "human; complaint; The lamp broke.")
    shown = chat.requests[2][0]
    assert shown[-1]["content"] == "(The caller pressed the keys 1.)"
    heard = "I look that up for you. It takes long It is a lamp."
    assert {"role": "assistant", "content": heard} in shown


def test_what_fails_twice_is_told_once(monkeypatch):
    gone = ProviderError("main: the connection failed", retryable=True)
    told, _ = talk(monkeypatch, FakeChat([gone], [gone]), "Hello?")
    assert [what for what, _ in told] == ["agent", "failed", "agent", "transfers"]


def test_what_is_agreed_to_or_refused_is_told(monkeypatch):
    shop = dataclasses.replace(AGENT, tool_repeats=1)
    chat = FakeChat([FIND], ["A lamp."], [FIND], ["As I said."])
    told, _ = talk(monkeypatch, chat, "Where is it?", "Where?", agent=shop)
    assert (
        "refused",
        "look_up ran 1 times with the same arguments in this call (tool_repeats)",
    ) in told
    chatting = TextChat.__new__(TextChat)
    chatting._prompted, shown = None, []
    chatting._tell = lambda what, text: shown.append((what, text))
    chatting._take(Settled("cancel", {}, "passed_over"))
    assert shown == [("asked", "cancel: passed over")]


def test_what_fails_is_told_and_ends_the_talk(monkeypatch):
    chat = FakeChat([ProviderError("main: refused our key (401)")])
    told, goes_on = talk(monkeypatch, chat, "Hello?")
    assert goes_on == [True, False]
    assert told[1:] == [
        ("failed", "main: refused our key (401)"),
        ("agent", f"{SORRY} One moment please, I am connecting you to the front desk."),
        ("transfers", "human; main: refused our key (401)"),
    ]


def test_where_nobody_can_take_over_the_caller_is_asked_to_call_again(monkeypatch):
    alone = dataclasses.replace(AGENT, directory={})
    chat = FakeChat([ProviderError("it broke")])
    told, _ = talk(monkeypatch, chat, "Hello?", agent=alone)
    again = "Please call again later. Goodbye."
    assert told[-2:] == [("agent", f"{SORRY} {again}"), ("hangs up", "it broke")]


def test_only_keys_of_a_telephone_are_keys(monkeypatch):
    told, goes_on = talk(monkeypatch, FakeChat(), "keys:abc")
    assert told[-1] == ("no keys", "'abc': a telephone has 0-9, *, # and A-D")
    assert goes_on == [True, True]


def test_a_number_may_end_as_in_a_call(monkeypatch):
    chat = FakeChat(["Thanks."], ["Yes?"])
    talk(monkeypatch, chat, "keys:42#", "keys:#")
    shown = [messages[-1]["content"] for messages, _ in chat.requests]
    assert shown == ["(The caller pressed the keys 4 2.)", "(The caller pressed the keys #.)"]


def test_a_farewell_ends_it(monkeypatch):
    bye = Call("1", "hang_up", '{"reason": "done", "why": 1}')
    fine = Call("1", "hang_up", '{"reason": "done"}')
    told, goes_on = talk(monkeypatch, FakeChat([bye], [fine]), "Bye.")
    assert goes_on[-1] is False
    assert ("hangs up", "done") in told
    assert next(text for what, text in told if what == "tool").endswith(
        "failed: hang_up: why is not known"
    )


def test_dialogues_are_made_of_the_agents_providers():
    agent = dataclasses.replace(AGENT, dialogue=("scripted",), greeting="Hi.")

    async def main():
        told = []
        chatting = TextChat(agent, {}, lambda *one: told.append(one))
        assert await chatting.open()
        await chatting.close()
        return told

    assert asyncio.run(main()) == [("agent", "Hi.")]


def test_keys_that_it_presses_are_told(monkeypatch):
    press = Call("1", "press_keys", '{"keys": "1"}')
    may = dataclasses.replace(AGENT, press_keys=True)
    told, goes_on = talk(monkeypatch, FakeChat([press], ["Done."]), "Press one.", agent=may)
    assert ("presses", "1") in told
    assert goes_on == [True, True]


def test_pauses_of_the_recording_are_told(monkeypatch):
    calls = [Call("1", "pause_recording", "{}"), Call("2", "resume_recording", "{}")]
    may = dataclasses.replace(AGENT, pause_recording=True)
    told, _ = talk(monkeypatch, FakeChat([calls[0]], [calls[1]], ["Done."]), "Pay.", agent=may)
    assert [words for kind, words in told if kind == "records"] == ["nothing for now", "again"]
