from opensip.agent.memory import MOST_MESSAGES, Call, Memory


def test_what_was_not_heard_is_no_message_and_the_callers_words_join():
    memory = Memory()
    memory.begin("a", "Where is")
    memory.agent_said("")
    memory.begin("b", "my order?")
    memory.agent_said("It is on", interrupted=True)
    assert memory.messages == [
        {"role": "user", "content": "Where is my order?"},
        {"role": "assistant", "content": "It is on …"},
    ]
    assert memory.turns == 2


def test_who_takes_an_answer_over_knows_what_was_said_of_it():
    memory, turn = Memory(), object()
    assert memory.begin(turn, "Where is my order?")
    memory.said.append("One moment.")
    assert not memory.begin(turn, "Where is my order?")
    assert [m["content"] for m in memory.shown()] == [
        "Where is my order?", "One moment.", "(You were cut off. Go on; repeat nothing.)",
    ]  # fmt: skip
    assert memory.repeated("one moment")
    assert not memory.repeated("one minute")
    assert len(memory.messages) == 1


def test_tools_stand_with_what_was_said_before_them_until_it_was_heard():
    memory = Memory()
    memory.begin("a", "Where is it?")
    memory.said.append("Let me look.")
    memory.tools_ran(
        [
            Call("1", "find", '{"n": 1}'),
            Call("2", "find", "{half"),
            Call("3", "find", "[" * 60_000),
        ],
        ["on its way", "no", "no"],
    )
    shown = memory.shown()
    assert [m["role"] for m in shown] == ["user", "assistant", "tool", "tool", "tool"]
    assert shown[1]["content"] == "Let me look."
    assert [c["function"]["arguments"] for c in shown[1]["tool_calls"]] == [
        '{"n": 1}', "{}", "{}",
    ]  # fmt: skip
    assert memory.messages[1]["content"] is None
    memory.agent_said("Let me look. It is on its way.")
    assert memory.messages[-1] == {"role": "assistant",
                                   "content": "Let me look. It is on its way."}  # fmt: skip
    memory.noted("Nobody took the call")
    assert memory.messages[-1] == {"role": "user", "content": "(Nobody took the call)"}


def test_of_a_long_call_the_beginning_is_left_out_but_no_tool_without_its_result():
    memory = Memory()
    for n in range(100):
        memory.begin(n, f"turn {n}")
        memory.tools_ran([Call(str(n), "find", "{}")], ["found"])
        memory.agent_said("Here.")
    shown = memory.shown()
    assert MOST_MESSAGES - 4 < len(shown) <= MOST_MESSAGES + 4
    assert shown[0]["role"] == "user"
    assert shown[-1]["content"] == "Here."


def test_a_tool_of_an_earlier_answer_stays_though_a_turn_is_unsaid():
    memory = Memory()
    memory.begin("a", "Book it.")
    memory.suppose("b")
    memory.tools_ran([Call("1", "book", "{}")], ["booked"])
    memory.begin("b", "And")
    memory.tools_ran([Call("2", "find", "{}")], ["found"], supposed=True)
    memory.unsay()
    assert [m["role"] for m in memory.messages] == ["user", "assistant", "tool"]
    assert memory.messages[-1]["content"] == "booked"
    assert memory.turns == 1
