"""The value of a Digest header is judged or answered, or passed over; nothing is raised.

`DigestVerifier.verify` gives a verdict on any Authorization, and never accepts one whose answer
was not made with the password; `authorize` answers any challenges or none.
"""

from opensip.sip.challenge import authorize
from opensip.sip.digest import Accepted, DigestVerifier, Ha1, Refused, Stale
from tests.fuzz.target import Fault, Target

_SECRET, _REALM, _URI = b"s" * 32, "opensip", "sip:+15553334444@b.example;transport=tls"
_HA1 = Ha1.of("alice", _REALM, "wonderland")


def one_input(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    _judge(text)
    answered = _answer(text.split("\n", 3))
    assert answered is None or answered[1].startswith("Digest ")


def _judge(text: str) -> None:
    verifier = DigestVerifier(_SECRET, _REALM, table_size=2)
    verdict = verifier.verify(
        text, method="INVITE", uri=_URI, source="192.0.2.1", lookup=_lookup, now=1.0
    )
    assert isinstance(verdict, Accepted | Refused | Stale)
    assert not isinstance(verdict, Accepted) or verdict.user == "alice"


def _lookup(user: str) -> Ha1 | None:
    return _HA1 if user == "alice" else None


def _answer(challenges: list[str], uri: str = _URI) -> tuple[str, str] | None:
    return authorize(
        challenges,
        username="alice",
        password="wonderland",
        method="INVITE",
        uri=uri,
        cnonce="c",
        nc=1,
        realms=None,
    )


def _good(uri: str = _URI, now: float = 0.5, source: str = "192.0.2.1") -> list[bytes]:
    challenges = DigestVerifier(_SECRET, _REALM).challenge(source, now=now)
    answers = [_answer([challenge], uri) for challenge in challenges]
    return [answer[1].encode() for answer in answers if answer]


def _many(count: int, first: int) -> str:
    return "sip:b" + "".join(f";{n:x}" for n in range(first, first + count))


_FULL = (
    b'Digest username="alice", realm="opensip", nonce="%s", uri="%s", response="0", cnonce="c", '
    b"nc=00000001, qop=auth, algorithm=MD5"
)
_WORDS = (
    b"Digest ", b"username=", b"realm=", b"nonce=", b"uri=", b"response=", b"cnonce=", b"nc=",
    b"qop=", b"algorithm=", b"opaque=", b"stale=true", b"-sess", b"SHA-256", b'"', b", ",
)  # fmt: skip
TARGET = Target(
    one_input,
    parser=(
        "opensip.sip.challenge",
        "opensip.sip.digest:DigestVerifier.verify",
        "opensip.sip.digest:DigestVerifier._mismatch",
        "opensip.sip.digest:DigestVerifier._response",
        "opensip.sip.digest:DigestVerifier._issued",
        "opensip.sip.digest:_same_uri",
        "opensip.sip.digest:_decode",
        "opensip.sip.digest:_issued_at",
    ),
    seeds=(
        b'Digest realm="r", nonce="n", stale=TRUE',
        *_good(),
        *_good("sip:b"),
        *_good("SIP:+15553334444@B.example;transport=TLS"),
        *_good("tel:+1"),
        *_good(now=-100.0),
        *_good(source="192.0.2.99"),
        _FULL % (b"A" * 32, b"sip:b"),
        _FULL % (b"\xff", b":"),
        b'Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=MD5-sess, opaque="o"',
        b'Digest realm="r", nonce="n", algorithm=SHA-512-256\nBasic realm="r"\nDigest realm="a"',
        b'Digest realm="r", nonce="n", qop="auth-int", algorithm=SHA-256',
        b'Digest realm="r", nonce="n", algorithm=SHA-1',
        b'Digest realm="r\\"", realm="n"',
    ),
    fault=Fault("opensip.sip.challenge", "TOKEN.fullmatch(name) or name in params", "name[0]"),
    words=_WORDS,
    dear=(
        b"Digest " + b"," * 65000,
        b"Digest " + b"a=b," * 16000,
        b"Digest " + b",".join(b"%x=" % n for n in range(9000)),
        b'Digest a="' + b'\\"' * 32000,
        b'Digest a="' + b"\\" * 65000,
        b"Digest " + b'""' * 32000,
        b"Digest " + b'",' * 32000,
        b"Digest " + b"<" * 65000,
        b"Digest qop=" + b'"' + b"auth," * 13000 + b'", realm="r", nonce="n"',
        b"Digest" + b" " * 65000,
        b"Digest realm=" + b" " * 65000 + b",",
        b"\n" * 65000,
        b"Digest realm=a\n" * 4300,
        b'Digest realm="r", nonce="n", algorithm=MD5\n' * 1400,
        _FULL % (b"A" * 65000, b"sip:b"),
        _FULL % (b"A" * 32, _many(10000, 0).encode()),
        _FULL % (b"A" * 32, b"sip:" + b"%41" * 21000 + b"@b"),
        _FULL % (b"A" * 32, b"sip:b?" + b"a&" * 32000),
    ),
)
