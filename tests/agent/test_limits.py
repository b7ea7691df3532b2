import pytest

from opensip.agent.definition import Agent
from opensip.agent.limits import MOST_BUILT_IN, counted, exceeded, is_again
from opensip.agent.memory import Spent

AGENT = Agent("test", kind="model", tool_calls=3, tool_repeats=2)
FIND, OTHER = ("find", '{"n": 1}'), ("find", '{"n": 2}')


def after(*wanted):
    spent = Spent()
    for turn, one in enumerate(wanted):
        spent = counted(spent, one, turn)
    return spent


def test_the_same_twice_after_a_turn_is_enough_and_anew_after_the_next():
    spent = counted(counted(Spent(), FIND, 1), FIND, 1)
    assert is_again(spent, FIND, 1)
    assert not is_again(spent, OTHER, 1)
    assert not is_again(spent, FIND, 2)
    spent = counted(spent, OTHER, 2)
    assert len(spent.lately) == 1  # of turns that are over nothing is kept


@pytest.mark.parametrize(
    ("spent", "wanted", "why"),
    [
        (after(FIND, OTHER), FIND, ""),
        (after(FIND, FIND), FIND, "find ran 2 times with the same arguments in this call"),
        (after(FIND, FIND), OTHER, ""),
        (after(FIND, FIND, OTHER), ("x", "{}"), "the 3 calls of tools of this call"),
        (after(FIND, FIND, OTHER), ("hang_up", "{}"), ""),
        (after(*[("look_up", "{}")] * 2), ("look_up", "{}"), "look_up ran 2 times"),
        (after(*[("press_keys", "1")] * 9), ("press_keys", "1"), ""),
        (after(*[("press_keys", "1")] * MOST_BUILT_IN), ("note_outcome", ""), "built-in tools"),
        (after(*[("press_keys", "1")] * MOST_BUILT_IN), ("transfer", "{}"), ""),
    ],
)
def test_each_limit_of_a_call_is_named_and_the_ways_out_stay_open(spent, wanted, why):
    assert why in exceeded(AGENT, spent, wanted)
    assert bool(why) == bool(exceeded(AGENT, spent, wanted))
