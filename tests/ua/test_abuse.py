import pytest

from opensip.ua import abuse
from opensip.ua.abuse import AbuseGuard, AbuseLimits

X = "192.0.2.9"
MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nUser-Agent: %s\r\n\r\n"


def guard(**limits):
    return AbuseGuard(AbuseLimits(**limits), lambda source: source == "198.51.100.1")


def kinds(judge, count, *, now=0.0, source=X):
    found = [judge.why_not(b"", source, now=now) for _ in range(count)]
    return [kind and kind[0] for kind in found]


def test_rate_of_a_stranger():
    judge = guard(rate=2, burst=3)
    assert kinds(judge, 5) == [None, None, None, "rate", "rate"]
    assert kinds(judge, 1, source="192.0.2.8") == [None]  # others are not hurt
    assert kinds(judge, 3, now=1.5) == [None, "rate", "rate"]


def test_flood_is_banned_and_the_ban_ends():
    judge = guard(rate=1, burst=1, ban=60)
    assert kinds(judge, 13)[-2:] == ["rate", "banned"]
    assert judge.banned(now=10) == {X: 50}
    assert judge.is_banned(X, now=59)
    assert not judge.is_banned(X, now=60)
    assert kinds(judge, 1, now=120) == [None]
    assert judge.banned(now=120) == {}


def test_forged_sources_share_what_strangers_may_send():
    judge = guard(crowd=3)

    def crowd(count, *, now):
        sources = [f"203.0.113.{n}" for n in range(count)]
        return [kinds(judge, 1, now=now, source=source)[0] for source in sources]

    assert crowd(5, now=0.0) == [None, None, None, "crowd", "crowd"]
    assert crowd(3, now=0.5) == [None, "crowd", "crowd"]
    assert crowd(9, now=60.0).count(None) == 3  # what was not used is not saved up
    assert kinds(judge, 9, now=60.0, source="198.51.100.1") == [None] * 9
    assert guard(crowd=0.5).why_not(b"", X, now=0) is None


def test_one_that_floods_takes_nothing_from_the_others():
    judge = guard(rate=1, burst=1, crowd=3)
    assert kinds(judge, 100).count(None) == 1
    assert kinds(judge, 1, source="192.0.2.8") == [None]


def test_known_and_vouched_sources_have_no_limit():
    judge = guard(rate=1, burst=1)
    assert kinds(judge, 100, source="198.51.100.1") == [None] * 100
    judge.ban("198.51.100.1", now=0)
    assert not judge.is_banned("198.51.100.1", now=1)
    judge.ban(X, now=0)
    judge.vouch(X, now=0)
    assert kinds(judge, 100) == [None] * 100
    assert kinds(judge, 3, now=abuse.VOUCHED)[-1] == "rate"


@pytest.mark.parametrize("name", [b"friendly-scanner", b"SIPVicious 0.3", b"pplsip"])
def test_scanners_are_banned(name):
    judge = guard()
    assert judge.why_not(MESSAGE % name, X, now=0)[0] == "scanner"
    assert judge.why_not(MESSAGE % b"Linphone", X, now=1)[0] == "banned"


@pytest.mark.parametrize("data", [MESSAGE % b"Linphone", b"", b"X: friendly-scanner\r\n"])
def test_others_are_no_scanners(data):
    assert guard().why_not(data, X, now=0) is None
    assert guard(scanners=()).why_not(MESSAGE % b"pplsip", X, now=0) is None


def test_ten_answers_then_silence():
    judge = guard(answers=10)
    assert [judge.may_answer(X, now=0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert judge.may_answer("198.51.100.1", now=0)
    assert judge.may_answer(X, now=61)


def test_tables_are_bounded(monkeypatch):
    monkeypatch.setattr(abuse, "MAX_SOURCES", 2)
    judge = guard()
    for n in range(5):
        judge.ban(f"192.0.2.{n}", now=0)
        kinds(judge, 1, source=f"203.0.113.{n}")
    assert list(judge.banned(now=0)) == ["192.0.2.3", "192.0.2.4"]
