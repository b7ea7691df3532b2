from itertools import count

import pytest

from opensip.sip.digest import Accepted, DigestVerifier, Ha1
from opensip.sip.headers import Headers
from opensip.sip.message import Request, Response
from opensip.sip.uri import Uri
from opensip.ua.credentials import ChallengeAnswers, Credentials

OURS = Credentials("alice", "secret", frozenset({"trunk.example"}))
ANSWERED = {"WWW-Authenticate": "Authorization", "Proxy-Authenticate": "Proxy-Authorization"}


@pytest.fixture
def answers():
    tokens = count()
    return ChallengeAnswers(OURS, lambda: f"cnonce{next(tokens)}")


def invite(*headers):
    return Request("INVITE", Uri.parse("sip:+1555@trunk.example"), Headers(headers))


def challenge(nonce, *, realm="trunk.example", stale=False, status=401, more=()):
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    end = ", stale=true" if stale else ""
    value = f'Digest realm="{realm}", nonce="{nonce}", qop="auth", algorithm=MD5{end}'
    return Response(status, "", Headers([(name, value), *more]))


@pytest.mark.parametrize("status", [401, 407])
def test_answer_satisfies_the_verifier(answers, status):
    verifier = DigestVerifier(b"key", "trunk.example")
    asked = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    values = verifier.challenge("peer", now=1)
    given = answers(invite(), Response(status, "", Headers((asked, v) for v in values)))
    [(name, value)] = given
    assert name == ANSWERED[asked]
    assert "SHA-256" in value
    verdict = verifier.verify(
        value,
        method="INVITE",
        uri="sip:+1555@trunk.example",
        source="peer",
        lookup=lambda user: Ha1.of(user, "trunk.example", "secret"),
        now=2,
    )
    assert verdict == Accepted("alice")


def test_second_challenge_to_the_same_request_is_not_answered(answers):
    first = answers(invite(), challenge("n1"))
    assert answers(invite(*first), challenge("n2")) is None


def test_stale_is_answered_once_more_and_never_again(answers):
    first = answers(invite(), challenge("n1"))
    second = answers(invite(*first), challenge("n2", stale=True))
    assert second is not None
    assert answers(invite(*second), challenge("n3", stale=True)) is None


def test_another_request_is_answered_anew_and_the_nonce_counted(answers):
    first = answers(invite(), challenge("n1"))
    bye = Request("BYE", Uri.parse("sip:trunk.example"), Headers())
    second = answers(bye, challenge("n1"))
    assert "nc=00000001" in first[0][1]
    assert "nc=00000002" in second[0][1]


def test_foreign_realm_gets_nothing(answers):
    assert answers(invite(), challenge("n1", realm="evil.example")) is None


def test_two_realms_each_get_theirs():
    both = Credentials("alice", "secret", frozenset({"one", "two"}))
    answers = ChallengeAnswers(both, lambda: "c")
    first = answers(invite(), challenge("n1", realm="one", status=407))
    second = answers(invite(*first), challenge("n2", realm="two", status=407))
    assert 'realm="two"' in second[0][1]
    assert answers(invite(*second), challenge("n3", realm="one", status=407)) is None


def test_scheme_that_is_not_digest_is_passed_over(answers):
    basic = [("WWW-Authenticate", 'Basic realm="trunk.example"')]
    assert answers(invite(), challenge("n1", more=basic)) is not None
    assert answers(invite(), Response(401, "", Headers(basic))) is None


def test_password_is_not_shown():
    assert "secret" not in repr(OURS)
