import pytest

from opensip.sip.digest import (
    Accepted,
    DigestVerifier,
    Ha1,
    Refused,
    Stale,
    Verdict,
    authorize,
)

REALM = "sip.us.opensip.example"
URI = "sip:+15553334444@sip.us.opensip.example:5061;transport=tls"
USERS = {"trunk": Ha1.of("trunk", REALM, "right")}


class Peer:
    """A client that talks to one verifier."""

    def __init__(self, verifier: DigestVerifier | None = None, source: str = "192.0.2.10") -> None:
        self.verifier = verifier or DigestVerifier(b"secret", REALM)
        self.source = source

    def challenged(self, now: float = 0.0) -> list[str]:
        return self.verifier.challenge(self.source, now=now)

    def answer(self, challenges: list[str], **changes: object) -> str:
        given = {"username": "trunk", "password": "right", "method": "INVITE", "uri": URI}
        given |= {"cnonce": "c1", "nc": 1, "realms": None} | changes
        answered = authorize(challenges, **given)  # type: ignore[arg-type]  # a table of cases
        assert answered is not None
        return answered[1]

    def judge(self, authorization: str, now: float = 1.0, **changes: str) -> Verdict:
        asked = {"method": "INVITE", "uri": URI, "source": self.source} | changes
        return self.verifier.verify(authorization, lookup=USERS.get, now=now, **asked)


@pytest.fixture
def peer() -> Peer:
    return Peer()


def test_challenge_offers_sha256_then_md5_under_one_nonce(peer):
    first, second = peer.challenged()
    assert first.startswith(f'Digest realm="{REALM}", nonce="')
    assert first.endswith('algorithm=SHA-256, qop="auth"')
    assert second == first.replace("SHA-256", "MD5")
    assert peer.verifier.challenge("192.0.2.10", now=1, stale=True)[0].endswith("stale=true")


def test_a_challenge_may_be_for_one_algorithm_only(peer):
    [only] = peer.verifier.challenge("192.0.2.10", now=0, algorithms=["MD5"])
    assert only.endswith('algorithm=MD5, qop="auth"')


def test_no_two_challenges_share_a_nonce_even_within_one_tick(peer):
    assert len({peer.challenged()[0] for _ in range(100)}) == 100


@pytest.mark.parametrize("which", [0, 1])
def test_right_password_is_accepted_under_either_algorithm(peer, which):
    assert peer.judge(peer.answer([peer.challenged()[which]])) == Accepted("trunk")


def test_wrong_password_and_unknown_user_are_refused_and_stay_out_of_the_table(peer):
    challenges = peer.challenged()
    wrong = peer.judge(peer.answer(challenges, password="wrong"))
    unknown = peer.judge(peer.answer(challenges, username="nobody"))
    assert wrong == Refused("wrong password", guess=True)
    assert unknown == Refused("unknown user", guess=True)
    assert peer.verifier.remembered == 0


def test_unknown_user_costs_the_same_two_hashes(peer, monkeypatch):
    counts = []
    response = DigestVerifier._response
    monkeypatch.setattr(DigestVerifier, "_response", lambda *a: (counts.append(1), response(*a))[1])
    challenges = peer.challenged()
    peer.judge(peer.answer(challenges, username="nobody"))
    peer.judge(peer.answer(challenges, password="wrong"))
    assert len(counts) == 2


def test_replay_is_stale_and_a_higher_count_is_good(peer):
    challenges = peer.challenged()
    first, second = peer.answer(challenges), peer.answer(challenges, nc=2)
    assert peer.judge(first) == Accepted("trunk")
    assert peer.judge(first) == Stale("nonce count repeated")
    assert peer.judge(second) == Accepted("trunk")
    assert peer.judge(first) == Stale("nonce count repeated")


@pytest.mark.parametrize(
    ("now", "verdict"), [(30.0, Accepted("trunk")), (30.001, Stale("nonce expired"))]
)
def test_a_nonce_lives_thirty_seconds(peer, now, verdict):
    assert peer.judge(peer.answer(peer.challenged(now=0.0)), now=now) == verdict


def test_expired_nonce_under_a_wrong_password_is_refused_not_stale(peer):
    authorization = peer.answer(peer.challenged(), password="wrong")
    assert peer.judge(authorization, now=60) == Refused("wrong password", guess=True)


def test_changed_uri_is_refused_but_an_equivalent_spelling_is_not(peer):
    authorization = peer.answer(peer.challenged())
    assert peer.judge(authorization, uri="sip:+19995550000@sip.us.opensip.example") == Refused(
        "another URI"
    )
    assert peer.judge(authorization, uri="no uri") == Refused("another URI")
    assert peer.judge(authorization, uri=URI.replace("sip.us.", "SIP.US.")) == Accepted("trunk")


def test_a_nonce_is_bound_to_method_source_and_secret(peer):
    authorization = peer.answer(peer.challenged())
    assert peer.judge(authorization, method="BYE") == Refused("wrong password", guess=True)
    assert peer.judge(authorization, source="198.51.100.1") == Stale("nonce is not ours")
    other = Peer(DigestVerifier(b"other secret", REALM))
    assert other.judge(authorization) == Stale("nonce is not ours")


@pytest.mark.parametrize("nonce", ["dcd98b7102dd2f0e8b11d0f600bfb0c093", "AAAA", "%%%", "é"])
def test_a_nonce_of_another_making_is_stale(peer, nonce):
    challenge = f'Digest realm="{REALM}", nonce="{nonce}", qop="auth"'
    assert peer.judge(peer.answer([challenge])) == Stale("nonce is not ours")


def test_a_nonce_from_the_future_is_stale(peer):
    assert peer.judge(peer.answer(peer.challenged(now=5.0)), now=4.9) == Stale("nonce expired")


def test_the_table_is_bounded_and_what_falls_out_is_stale():
    peer = Peer(DigestVerifier(b"secret", REALM, table_size=3))
    challenges = [peer.challenged(now=i / 10) for i in range(5)]
    for challenge in challenges:
        assert peer.judge(peer.answer(challenge)) == Accepted("trunk")
    assert peer.verifier.remembered == 3
    assert peer.judge(peer.answer(challenges[0], nc=2)) == Stale("nonce evicted")
    assert peer.judge(peer.answer(challenges[4], nc=2)) == Accepted("trunk")


def test_expired_entries_leave_the_table_first():
    peer = Peer(DigestVerifier(b"secret", REALM))
    peer.judge(peer.answer(peer.challenged(now=0.0)), now=1.0)
    assert peer.judge(peer.answer(peer.challenged(now=40.0)), now=40.0) == Accepted("trunk")
    assert peer.verifier.remembered == 1


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("Digest ", "Basic ", "bad scheme: 'Basic'"),
        (REALM, "elsewhere.example", "another realm"),
        ("algorithm=SHA-256", "algorithm=SHA-384", "another algorithm"),
        ("qop=auth", "qop=auth-conf", "another qop"),
        ("nc=00000001", "nc=1", "bad nc"),
        ("nc=00000001", "nc=0000000g", "bad nc"),
        ('cnonce="c1"', 'cnonce=""', "no cnonce"),
        ('username="trunk"', 'user="trunk"', "no username"),
        ("nc=00000001", "nc=00000001, nc=00000002", "bad parameter of Digest: 'nc'"),
        ("qop=auth", "qop", "bad parameter of Digest: 'qop'"),
    ],
)
def test_what_is_not_quite_digest_is_refused_with_the_reason(peer, old, new, why):
    authorization = peer.answer(peer.challenged())
    assert old in authorization
    assert peer.judge(authorization.replace(old, new)) == Refused(why)


def test_a_response_of_any_length_is_only_wrong(peer):
    for response in ("a", "a" * 8000, "é", "\udcff"):
        authorization = (
            f'Digest username="trunk", realm="{REALM}", nonce="n", uri="{URI}", '
            f'response="{response}", qop=auth, nc=00000001, cnonce="c"'
        )
        assert peer.judge(authorization) == Refused("wrong password")


def test_hashes_do_not_show_in_logs():
    assert repr(USERS["trunk"]) == "Ha1(***)"


@pytest.mark.parametrize("algorithm", ["SHA-512-256", "SHA-256", "MD5"])
@pytest.mark.parametrize("variant", ["", "-sess"])
@pytest.mark.parametrize("qop", ["auth", "auth-int", "auth,auth-int"])
def test_every_algorithm_in_every_variant(peer, algorithm, variant, qop):
    [challenge] = peer.verifier.challenge("192.0.2.10", now=0, algorithms=[algorithm], qop=qop)
    challenge = challenge.replace(algorithm, algorithm + variant)
    assert f'algorithm={algorithm}{variant}, qop="{qop}"' in challenge
    right = peer.answer([challenge], body=b"v=0")
    wrong = peer.answer([challenge], body=b"v=0", password="wrong", nc=2)
    assert peer.judge(wrong, body=b"v=0") == Refused("wrong password", guess=True)
    if qop == "auth-int":
        assert peer.judge(right, body=b"v=1") == Refused("wrong password", guess=True)
    assert peer.judge(right, body=b"v=0") == Accepted("trunk")


def test_a_hash_that_was_not_kept_proves_nobody(peer):
    [challenge] = peer.verifier.challenge("192.0.2.10", now=0, algorithms=["SHA-512-256"])
    kept = {"trunk": Ha1(USERS["trunk"].md5, USERS["trunk"].sha256)}
    verdict = peer.verifier.verify(
        peer.answer([challenge]),
        method="INVITE",
        uri=URI,
        source="192.0.2.10",
        lookup=kept.get,
        now=1,
    )
    assert verdict == Refused("wrong password", guess=True)


def test_the_strongest_of_several_challenges_is_answered(peer):
    offered = peer.verifier.challenge("192.0.2.10", now=0, algorithms=["MD5", "SHA-512-256"])
    assert ["SHA-512-256" in c for c in offered] == [True, False]
    assert "algorithm=SHA-512-256" in peer.answer(offered[::-1])
