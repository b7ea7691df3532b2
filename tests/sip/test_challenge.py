import json
from pathlib import Path

import pytest

from opensip.errors import RemoteProtocolError
from opensip.sip.challenge import Challenge, authorize, digest_response

VECTORS = Path(__file__).parents[2] / "../shared/vectors/digest.json"


def vectors() -> list[dict[str, str]]:
    return json.loads(VECTORS.read_text()) if VECTORS.exists() else []


def answer(*challenges, **changes):
    given = {"username": "bob", "password": "zanzibar", "method": "INVITE", "uri": "sip:a@b"}
    given |= {"cnonce": "c", "nc": 1, "realms": None} | changes
    return authorize(challenges, **given)


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not on this machine")
def test_vectors_of_the_rfcs():
    for vector in vectors():
        names = ("username", "realm", "password", "method", "uri", "nonce", "qop", "nc", "cnonce")
        given = {name: vector[name] for name in names}
        response = digest_response(vector["algorithm"], **given, body=vector["body"].encode())
        assert response == vector["response"], vector["name"]


def test_rfc_7616_section_3_9_1():
    given = {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "password": "Circle of Life",
        "method": "GET",
        "uri": "/dir/index.html",
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    }
    assert digest_response("MD5", **given) == "8ca523f5e9506fed4657c9700eebdbec"
    assert digest_response("SHA-256", **given).startswith("753927fa0e85d155564e2e272a28d180")


def test_the_strongest_algorithm_is_answered():
    md5, sha = (
        f'Digest realm="r", nonce="n", qop="auth", algorithm={a}' for a in ("MD5", "sha-256")
    )
    for challenges in ((md5, sha), (sha, md5)):
        realm, value = answer(*challenges)
        assert realm == "r"
        assert 'algorithm=sha-256, cnonce="c", qop=auth, nc=00000001' in value


def test_a_challenge_of_long_ago_is_answered_without_qop_and_algorithm():
    _, value = answer('Digest realm="biloxi.com", nonce="n", opaque="o"')
    assert 'opaque="o"' in value
    assert "qop" not in value
    assert "algorithm" not in value


def test_only_an_allowed_realm_is_answered():
    challenge = 'Digest realm="evil.example", nonce="n", qop="auth"'
    assert answer(challenge, realms={"good.example"}) is None
    assert answer(challenge, realms={"evil.example"}) is not None


@pytest.mark.parametrize(
    "challenge",
    [
        'Basic realm="r"',
        'Digest realm="r"',
        'Digest realm="r", nonce="n", algorithm=WHIRLPOOL',
        'Digest realm="r", nonce="n", qop="auth-conf"',
        'Digest realm="r", nonce="n',
    ],
)
def test_what_cannot_be_answered_is_passed_over(challenge):
    assert answer(challenge) is None


def test_quotes_in_a_name_are_escaped():
    _, value = answer('Digest realm="a \\"b\\"", nonce="n"', username='x"y')
    assert 'username="x\\"y", realm="a \\"b\\""' in value


def test_challenge_is_read():
    challenge = Challenge.parse('digest Realm="r,1", nonce="n", stale=TRUE, qop="auth,auth-int"')
    assert challenge == Challenge("r,1", "n", None, ("auth", "auth-int"), None, True)
    with pytest.raises(RemoteProtocolError):
        Challenge.parse('Digest nonce="n"')


def test_the_body_is_protected_where_nothing_else_will_do():
    _, value = answer('Digest realm="r", nonce="n", qop="auth-int"', body=b"v=0")
    assert "qop=auth-int, nc=00000001" in value
    _, other = answer('Digest realm="r", nonce="n", qop="auth-int"', body=b"v=1")
    assert value != other
    _, both = answer('Digest realm="r", nonce="n", qop="auth-int,auth"')
    assert "qop=auth, nc" in both


def test_a_session_without_qop_tells_its_client_nonce():
    _, value = answer('Digest realm="r", nonce="n", algorithm=MD5-sess')
    assert 'cnonce="c"' in value
    assert "qop" not in value
