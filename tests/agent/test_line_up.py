import pytest

from opensip.agent.health import Health
from opensip.agent.line_up import LineUp
from opensip.errors import ProviderError
from opensip.events import ProviderFailed, ProviderRecovered
from tests.fakes.line import Noted


class Named:
    def __init__(self, name, health=None):
        self.name = name
        self.health = health


A, B, C = Named("a"), Named("b"), Named("c")


def lineup(*providers):
    noted = Noted()
    return LineUp("dialogue", providers, noted, lambda: 3.0), noted


def names(tries, fail):
    found = []
    for provider in tries:
        found.append(provider.name)
        fail(provider)
    return "".join(found)


PASSING = ProviderError("overloaded", retryable=True)


def test_each_is_asked_once_and_twice_where_that_may_help():
    line, noted = lineup(A, B)
    assert names(line.tries(), lambda p: line.failed(p, TimeoutError())) == "ab"
    assert noted.of(ProviderFailed)[0] == ProviderFailed(3.0, "dialogue", "a", "TimeoutError")
    told = len(noted.of(ProviderFailed))
    assert names(line.tries(), lambda p: line.failed(p, PASSING)) == "aabb"
    assert [e.provider for e in noted.of(ProviderFailed)[told:]] == ["a", "b"]  # once each
    assert names(line.tries(), lambda p: line.failed(p, ProviderError("401"))) in ("ab", "ba")
    alone, _ = lineup(A)
    for _ in range(2):
        assert names(alone.tries(), lambda p: alone.failed(p, PASSING)) == "aa"


def test_what_fails_twice_for_one_question_is_told_once_and_costs_one_rest():
    health = Health(clock=lambda: 0.0)
    ill, errors = Named("ill", health), iter([PASSING, PASSING, ProviderError("gone"), PASSING])
    line, noted = lineup(ill)
    for _ in range(2):
        for provider in line.tries():
            line.failed(provider, next(errors))
        if health.rest == 5:
            assert [e.error for e in noted.of(ProviderFailed)] == ["overloaded"]
    assert [e.error for e in noted.of(ProviderFailed)] == ["overloaded", "gone"]
    line.worked(ill)
    line.worked(ill)
    assert noted.of(ProviderRecovered) == [ProviderRecovered(3.0, "dialogue", "ill")]


def test_who_works_stays_first():
    line, _ = lineup(A, B, C)
    line.failed(A, OSError("gone"))
    line.worked(C)
    assert line.first is C
    assert next(line.tries()) is C


def test_who_rests_is_asked_last():
    now = [0.0]
    ill = Health(clock=lambda: now[0])
    ill.failed(30.0)
    line, _ = lineup(Named("ill", ill), B)
    assert line.first is B
    line.worked(line.all[0])
    assert not ill.resting
    line.failed(line.all[0], ProviderError("429", rest=7.0))
    assert ill.resting
    now[0] = 8.0
    assert not ill.resting


def test_nobody_at_all():
    line, _ = lineup()
    assert list(line.tries()) == []
    with pytest.raises(ProviderError, match="no dialogue is left"):
        _ = line.first


def test_who_has_rested_is_tried_by_one_call_and_comes_back_for_all():
    now = [0.0]
    ill = Named("ill", Health(clock=lambda: now[0]))

    def firsts(calls):
        lines = [lineup(ill, B)[0] for _ in range(calls)]
        return lines, "".join(line.first.name[0] for line in lines)

    ill.health.failed()
    assert firsts(2)[1] == "bb"
    now[0] = 5.5
    lines, names_ = firsts(3)
    assert names_ == "ibb"
    lines[0].worked(ill)
    assert firsts(3)[1] == "iii"
