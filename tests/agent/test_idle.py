from opensip.agent.idle import Idle


def looked(idle, until, *, busy=lambda at: False):
    """Give when which note was due."""
    found = [(at, idle.look(at, busy=busy(at))) for at in range(until)]
    return [(at, note) for at, note in found if note]


def test_prompts_come_in_turn_and_then_the_farewell_and_nothing_after_it():
    idle = Idle(8.0, ("Hello?", "Still there?"), "Goodbye.")
    (first, one), (second, two), (third, three) = looked(idle, 60)
    assert (first, second, third) == (8, 16, 24)
    assert one == "(The caller has been silent for 8 s. Say exactly these words: Hello?)"
    assert "Still there?" in two
    assert "run no tool: Goodbye.)" in three
    assert idle.leaves


def test_silence_is_counted_from_the_last_sound_of_either_side():
    idle = Idle(8.0, ("Hello?",), "Goodbye.")
    assert [at for at, _ in looked(idle, 40, busy=lambda at: at < 5 or 13 <= at < 17)] == [12, 24]


def test_who_is_heard_is_asked_anew_and_who_holds_us_is_not_asked():
    idle = Idle(8.0, ("Hello?",), "Goodbye.")
    looked(idle, 20)
    assert idle.leaves
    idle.heard()
    assert not idle.leaves
    idle.held = True
    assert looked(idle, 100) == []
    idle.held = False
    assert "Hello?" in idle.look(107.0, busy=False)
