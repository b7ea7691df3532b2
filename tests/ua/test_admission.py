from ipaddress import ip_network

import pytest

from opensip.sip.digest import Ha1, authorize
from opensip.sip.flow import Flow
from opensip.sip.headers import Headers
from opensip.sip.message import Request
from opensip.sip.uri import Uri
from opensip.ua.admission import Admission, Admit, Challenge, Ignore, Refuse, TrunkAdmission

REALM = "opensip"


def networks(*texts):
    return tuple(ip_network(text) for text in texts)


def users(name="alice"):
    return {name: Ha1.of(name, REALM, "right")}


def flow(source="192.0.2.10"):
    return Flow("UDP", ("127.0.0.1", 5060), (source, 5060))


def invite(*, user="+15551112222", headers=()):
    return Request("INVITE", Uri("sip", user, host="opensip.example"), Headers(headers))


def admission(*trunks, strangers="silent", normalise=lambda raw: raw):
    return Admission(
        trunks, realm=REALM, secret=b"secret", strangers=strangers, normalise=normalise
    )


def sign(decision, *, name="alice", user="+15551112222", **changes):
    assert isinstance(decision, Challenge)
    _, value = authorize(
        [value for _, value in decision.headers],
        username=name,
        password=changes.get("password", "right"),
        method="INVITE",
        uri=f"sip:{user}@opensip.example",
        cnonce="c",
        nc=1,
        realms=None,
    )
    return invite(user=user, headers=[("Authorization", value)])


def after_challenge(door, source="192.0.2.10", **signed):
    challenge = door.decide(invite(), flow(source), now=0)
    return door.decide(sign(challenge, **signed), flow(source), now=1)


BY_SOURCE = TrunkAdmission("source", networks("192.0.2.0/24"))
BY_DIGEST = TrunkAdmission("digest", users=users())
BOTH = TrunkAdmission("both", networks("192.0.2.0/24"), users())
EITHER = TrunkAdmission("either", networks("192.0.2.0/24"), users(), any=True)
INSIDE, OUTSIDE = "192.0.2.10", "198.51.100.1"


@pytest.mark.parametrize(
    ("trunk", "source", "unsigned", "right", "wrong"),
    [
        (BY_SOURCE, INSIDE, Admit, None, None),
        (BY_SOURCE, OUTSIDE, Ignore, None, None),
        (BY_DIGEST, INSIDE, Challenge, Admit, Challenge),
        (BY_DIGEST, OUTSIDE, Challenge, Admit, Challenge),
        (BOTH, INSIDE, Challenge, Admit, Challenge),
        (BOTH, OUTSIDE, Ignore, None, None),
        (EITHER, INSIDE, Admit, None, None),
        (EITHER, OUTSIDE, Challenge, Admit, Challenge),
    ],
)
def test_networks_digest_both_and_any(trunk, source, unsigned, right, wrong):
    assert type(admission(trunk).decide(invite(), flow(source), now=0)) is unsigned
    if right:
        assert after_challenge(admission(trunk), source) == Admit(trunk.name, "alice")
        refused = after_challenge(admission(trunk), source, password="wrong")
        assert type(refused) is wrong
        assert not refused.stale
        assert refused.why == "digest: wrong password"


def test_a_trunk_asks_for_and_takes_its_own_algorithms_only():
    old = TrunkAdmission("old", users=users("bob"), algorithms=("MD5",))
    new = TrunkAdmission("new", users=users("alice"), algorithms=("SHA-256",))
    [(_, offered)] = admission(old).decide(invite(), flow(), now=0).headers
    assert "algorithm=MD5" in offered
    door = admission(old, new)
    both = [door.decide(invite(), flow(), now=0).headers for _ in range(2)]
    assert [len(headers) for headers in both] == [2, 2]
    sha256, md5 = (Challenge([headers[n]], False) for n, headers in enumerate(both))
    assert door.decide(sign(sha256, name="alice"), flow(), now=1) == Admit("new", "alice")
    assert door.decide(sign(md5, name="bob"), flow(), now=1) == Admit("old", "bob")
    for weak in (sign(md5, name="alice"), sign(sha256, name="bob")):
        refused = door.decide(weak, flow(), now=1)
        assert isinstance(refused, Challenge)
        assert refused.why == "digest: unknown user"


def test_an_admitted_trunk_can_be_looked_up():
    assert admission(BY_SOURCE).trunk("source") is BY_SOURCE


def test_the_longest_prefix_wins_whatever_the_order():
    wide = TrunkAdmission("wide", networks("0.0.0.0/0"))
    narrow = TrunkAdmission("narrow", networks("192.0.2.10/32"))
    for trunks in ((wide, narrow), (narrow, wide)):
        assert admission(*trunks).decide(invite(), flow(), now=0) == Admit("narrow")
        assert admission(*trunks).decide(invite(), flow(OUTSIDE), now=0) == Admit("wide")


def test_a_narrower_trunk_that_wants_digest_is_not_overtaken_by_a_wider_one_without():
    door = admission(TrunkAdmission("wide", networks("0.0.0.0/0")), BOTH)
    assert isinstance(door.decide(invite(), flow(), now=0), Challenge)
    assert after_challenge(door) == Admit("both", "alice")


def test_trunks_of_one_network_are_told_apart_by_user_then_by_number():
    one = TrunkAdmission("one", networks("192.0.2.0/24"), users("alice"), numbers=("+1555111",))
    two = TrunkAdmission("two", networks("192.0.2.0/24"), users("bob"), numbers=("+1555222",))
    door = admission(one, two)
    assert after_challenge(door, name="bob", user="+1555111") == Admit("two", "bob")
    shared = [
        TrunkAdmission(name, networks("192.0.2.0/24"), users(), numbers=(number,))
        for name, number in (("three", "+1555333"), ("four", "+1555444"))
    ]
    assert after_challenge(admission(*shared), user="+1555444") == Admit("four", "alice")


def test_numbers_decide_between_trunks_of_one_source_in_the_country_of_each():
    network = networks("192.0.2.0/24")
    catch_all = TrunkAdmission("rest", network)
    us = TrunkAdmission("us", network, numbers=("+15553334444",), normalise=lambda raw: f"+1{raw}")
    de = TrunkAdmission("de", network, numbers=("+495553334444",))
    door = admission(catch_all, us, de, normalise=lambda raw: f"+49{raw}")
    assert door.decide(invite(user="5553334444"), flow(), now=0) == Admit("us")
    assert door.decide(invite(user="999"), flow(), now=0) == Admit("rest")
    without = admission(us, de, normalise=lambda raw: f"+49{raw}")
    assert without.decide(invite(user="999"), flow(), now=0) == Admit("us")


def test_a_number_of_a_digest_trunk_is_challenged_beside_an_open_one():
    open_one = TrunkAdmission("open", networks("192.0.2.0/24"), numbers=("1",))
    closed = TrunkAdmission("closed", networks("192.0.2.0/24"), users(), numbers=("2",))
    door = admission(open_one, closed)
    assert door.decide(invite(user="1"), flow(), now=0) == Admit("open")
    assert isinstance(door.decide(invite(user="2"), flow(), now=0), Challenge)


def test_headers_open_nothing_to_a_stranger():
    door = admission(TrunkAdmission("one", networks("127.0.0.2/32")))
    headers = [
        ("Via", "SIP/2.0/UDP 127.0.0.2;branch=z9hG4bK1;received=127.0.0.2"),
        ("From", "<sip:alice@127.0.0.2>;tag=1"),
        ("P-Asserted-Identity", "<sip:alice@127.0.0.2>"),
        ("X-Forwarded-For", "127.0.0.2"),
        ("Authorization", 'Digest username="alice", realm="opensip"'),
    ]
    decision = door.decide(invite(headers=headers), flow("127.0.0.3"), now=0)
    assert decision == Ignore(
        "source 127.0.0.3 is in no trunk's networks, and no trunk opens by digest alone"
    )


def test_strangers_get_silence_or_one_answer_by_setting():
    refused = admission(BY_SOURCE, strangers="refuse").decide(invite(), flow(OUTSIDE), now=0)
    assert (refused.status, refused.reason) == (403, "Forbidden")
    assert isinstance(refused, Refuse)
    assert "198.51.100.1" in refused.why
    nobody = admission().decide(invite(), flow(), now=0)
    assert isinstance(nobody, Ignore)


def test_unknown_user_gets_the_answer_that_a_wrong_password_gets():
    door = admission(BY_DIGEST)
    unknown, wrong = after_challenge(door, name="eve"), after_challenge(door, password="x")
    shape = [[value.split("nonce")[0] for _, value in d.headers] for d in (unknown, wrong)]
    assert shape[0] == shape[1]
    assert unknown.stale is wrong.stale is False
    assert unknown.why == "digest: unknown user"


def test_the_log_is_told_of_a_user_who_comes_from_elsewhere():
    door = admission(BOTH, TrunkAdmission("other", users=users("bob")))
    decision = after_challenge(door, OUTSIDE)
    assert decision.why == "digest: unknown user (known on trunk both, within its networks)"


def test_replayed_and_expired_credentials_are_stale():
    door = admission(BY_DIGEST)
    signed = sign(door.decide(invite(), flow(), now=0))
    assert door.decide(signed, flow(), now=1) == Admit("digest", "alice")
    replayed = door.decide(signed, flow(), now=2)
    assert replayed.stale
    assert replayed.why == "digest: nonce count repeated"
    assert "stale=true" in replayed.headers[0][1]
    expired = sign(door.decide(invite(), flow(), now=3))
    assert door.decide(expired, flow(), now=40).why == "digest: nonce expired"


def test_an_open_trunk_does_not_mind_wrong_credentials():
    door = admission(EITHER, TrunkAdmission("more", networks("192.0.2.0/24")))
    elsewhere = sign(admission(BY_DIGEST).decide(invite(), flow(), now=0), password="wrong")
    assert door.decide(elsewhere, flow(), now=0) == Admit("either")


def test_credentials_for_another_realm_or_scheme_are_not_ours():
    headers = [
        ("Authorization", "Basic YWxpY2U6cmlnaHQ="),
        ("Authorization", 'Digest username="alice", realm="elsewhere"'),
    ]
    decision = admission(BY_DIGEST).decide(invite(headers=headers), flow(), now=0)
    assert isinstance(decision, Challenge)
    assert decision.why == ""


def test_a_source_that_guesses_is_silenced_for_a_minute():
    door = admission(BY_DIGEST)
    for _ in range(10):
        assert isinstance(after_challenge(door, password="wrong"), Challenge)
    assert after_challenge(door) == Ignore("10 wrong passwords from 192.0.2.10")
    assert after_challenge(door, OUTSIDE) == Admit("digest", "alice")
    challenge = door.decide(invite(), flow(), now=100)
    assert door.decide(sign(challenge), flow(), now=101) == Admit("digest", "alice")


def test_a_forged_source_does_not_count_as_guessing():
    door = admission(BY_DIGEST)
    elsewhere = door.decide(invite(), flow(OUTSIDE), now=0)
    for _ in range(20):
        door.decide(sign(elsewhere, password="wrong"), flow(), now=1)
    assert after_challenge(door) == Admit("digest", "alice")


def test_the_count_of_guesses_is_bounded(monkeypatch):
    monkeypatch.setattr("opensip.ua.admission.MAX_SOURCES", 2)
    door = admission(BY_DIGEST)
    for last in range(5):
        after_challenge(door, f"192.0.2.{last}", password="wrong")
    assert len(door._guesses) == 2


@pytest.mark.parametrize("source", ["::ffff:192.0.2.10", "192.0.2.10"])
def test_mapped_addresses_are_the_ipv4_ones(source):
    assert admission(BY_SOURCE).decide(invite(), flow(source), now=0) == Admit("source")


def test_ipv6_networks_and_odd_sources():
    door = admission(TrunkAdmission("six", networks("2001:db8::/32")), BY_SOURCE)
    assert door.decide(invite(), flow("2001:db8::1%eth0"), now=0) == Admit("six")
    assert isinstance(door.decide(invite(), flow("no address"), now=0), Ignore)


def test_of_two_trunks_with_a_user_of_one_name_the_number_tells_which_is_meant():
    trunks = [
        TrunkAdmission(name, users={"alice": Ha1.of("alice", REALM, name)}, numbers=(number,))
        for name, number in (("one", "+15550000001"), ("two", "+15550000002"))
    ]
    doors = Admission(trunks, realm=REALM, secret=b"secret", normalise=str)
    for trunk in trunks:
        [number] = trunk.numbers
        challenge = doors.decide(invite(user=number), flow(), now=0)
        signed = sign(challenge, user=number, password=trunk.name)
        assert doors.decide(signed, flow(), now=1) == Admit(trunk.name, "alice")
