from opensip.agent.line_up import LineUp
from opensip.errors import ProviderError

PASSING = ProviderError("overloaded", retryable=True)
FOR_GOOD = ProviderError("no such voice")


def test_who_fails_for_good_makes_room_and_the_last_stays():
    line_up = LineUp(["one", "two"])
    assert line_up.first == "one"
    assert line_up.failed(FOR_GOOD)
    assert line_up.first == "two"
    assert not line_up.failed(TimeoutError())
    assert line_up.first == "two"
    assert line_up.all == ("one", "two")


def test_what_may_pass_is_tried_once_more_with_each_question():
    line_up = LineUp(["one", "two"])
    for _ in range(2):
        line_up.begin()
        assert line_up.failed(PASSING)
        assert line_up.first == "one"
    assert line_up.failed(PASSING)
    assert line_up.first == "two"
    assert line_up.failed(PASSING)
    assert not line_up.failed(PASSING)
    assert line_up.first == "two"


def test_nobody_is_nobody():
    line_up = LineUp([])
    assert line_up.first is None
    assert not line_up.failed(FOR_GOOD)
