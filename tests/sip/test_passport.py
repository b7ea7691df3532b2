import base64
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.sip import passport as p
from opensip.sip.passport import IdentityField, Party, Passport

VECTORS = Path(__file__).parents[2] / "../shared/vectors/passport.json"
URL = "https://cert.example.org/passport.cer"
HEADER = {"alg": "ES256", "typ": "passport", "x5u": URL}
CLAIMS = {
    "dest": {"uri": ["sip:alice@example.com"]},
    "iat": 1471375418,
    "orig": {"tn": "12155551212"},
}
SHAKEN = CLAIMS | {"attest": "A", "origid": "123e4567-e89b-12d3-a456-426655440000"}
SIGNATURE = "A" * 85 + "Q"  # 64 octets


def encoded(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def field(header=HEADER, claims=CLAIMS, *, ppt="", signature=SIGNATURE, info=URL, alg="ES256"):
    token = f"{encoded(header)}.{encoded(claims)}.{signature}"
    return IdentityField(token, info, alg, ppt)


def shaken(**changes):
    return field(HEADER | {"ppt": "shaken"}, SHAKEN | changes, ppt="shaken")


def status_of(call, *arguments, **more):
    with pytest.raises(RemoteProtocolError) as caught:
        call(*arguments, **more)
    return caught.value.sip_status


@pytest.fixture(scope="module")
def vectors():
    if not VECTORS.exists():
        pytest.skip(f"no test vectors at {VECTORS}")
    return json.loads(VECTORS.read_text())


def test_the_example_of_rfc_8225_is_written_as_it_stands(vectors):
    assert p.canonical(HEADER) == vectors["canonical"]["header"]
    assert p.canonical(CLAIMS) == vectors["canonical"]["payload"]
    assert p.signing_input_of(HEADER, CLAIMS).decode() == vectors["rfc8225_signing_input"]


def test_the_example_of_rfc_8225_is_read(vectors):
    signature = vectors["rfc8225_token_as_copied_by_public_code_signature_DOES_NOT_VERIFY_here"]
    token = f"{vectors['rfc8225_signing_input']}.{signature}"
    read = Passport.read(IdentityField.parse(f"{token};info=<{URL}>"))
    assert (read.iat, read.orig) == (1471375418, Party("tn", "12155551212"))
    assert read.dest == (Party("uri", "sip:alice@example.com"),)
    assert len(read.signature) == p.SIGNATURE


def test_a_time_in_quotes_of_the_drafts_is_no_time(vectors):
    token = vectors["draft_token_signature_VERIFIES"]
    assert status_of(Passport.read, IdentityField.parse(f"{token};info=<{URL}>")) == 438


def test_the_header_is_taken_apart():
    read = IdentityField.parse(f" a.b.c ; Info = <{URL}> ;alg=ES256; ppt=SHAKEN;new=1")
    assert read == IdentityField("a.b.c", URL, "ES256", "shaken")
    assert not read.is_compact
    assert IdentityField.parse(f'..c;info=<{URL}>;ppt="shaken"').is_compact


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 438),
        ("a.b", 438),
        ("a.b.", 438),
        ("a.b.c.d;info=<https://h>", 438),
        ("a.b.ä;info=<https://h>", 438),
        ('a.b.c;"', 438),
        ("a.b.c;info=<https://h>;@=1", 438),
        ("a" * 9000 + ".b.c;info=<https://h>", 438),
        ("a.b.c;info=<https://h>" + ";a=b" * 5000, 438),
        ("a.b.c", 436),
        ("a.b.c;info=https://h", 436),
        ("a.b.c;info=<>", 436),
        ("a.b.c;info", 436),
        ("a.b.c;info=<https://h /x>", 436),
    ],
)
def test_headers_that_are_none(text, status):
    assert status_of(IdentityField.parse, text) == status


def test_shaken_tells_attestation_and_origin():
    read = Passport.read(shaken())
    assert (read.attest, read.origid) == ("A", SHAKEN["origid"])
    plain = Passport.read(field(claims=SHAKEN))
    assert (plain.attest, plain.origid) == ("", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"attest": "D"},
        {"attest": ""},
        {"attest": ["A"]},
        {"attest": None},
        {"origid": ""},
        {"origid": 7},
        {"origid": "x" * 65},
        {"origid": "ü"},
    ],
)
def test_shaken_without_its_claims(changes):
    assert status_of(Passport.read, shaken(**changes)) == 438


def test_an_origin_that_cannot_be_shown_becomes_spaces():
    assert Passport.read(shaken(origid="a\r\nb")).origid == "a  b"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"alg": "none"}, 437),
        ({"alg": "RS256"}, 437),
        ({"alg": ["ES256"]}, 437),
        ({"typ": "jwt"}, 437),
        ({"crit": ["b64"]}, 437),
        ({"ppt": "shaken"}, 438),
        ({"x5u": "https://other.example"}, 436),
        ({"x5u": None}, 436),
    ],
)
def test_joses_that_are_not_ours(changes, status):
    assert status_of(Passport.read, field(HEADER | changes)) == status


def test_the_algorithm_beside_the_token_counts_too():
    assert status_of(Passport.read, field(alg="none")) == 437


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": "1471375418"},
        {"iat": True},
        {"iat": 1.5},
        {"iat": -1},
        {"iat": 10**400},
        {"iat": None},
        {"orig": {}},
        {"orig": "12155551212"},
        {"orig": {"tn": "1", "uri": "sip:a@b"}},
        {"orig": {"tn": ["1", "2"]}},
        {"orig": {"tn": 1}},
        {"dest": {"tn": []}},
        {"dest": {"tn": [None]}},
        {"dest": None},
    ],
)
def test_claims_that_say_nothing(changes):
    assert status_of(Passport.read, field(claims=CLAIMS | changes)) == 438


@pytest.mark.parametrize(
    "part",
    ["", "{", "[]", "1", "NaN", '{"iat":NaN}', '{"iat":1,"iat":2}', "[" * 5000, "9" * 5000],
)
def test_parts_that_are_no_object(part):
    assert status_of(Passport.read, field(claims=part)) == 438
    assert status_of(Passport.read, field(header=part)) == 438


@pytest.mark.parametrize("signature", ["AAAA", "A", SIGNATURE + "AA"])
def test_a_signature_has_its_length(signature):
    assert status_of(Passport.read, field(signature=signature)) == 438


def test_a_compact_form_is_made_whole_from_the_request():
    compact = IdentityField(f"..{SIGNATURE}", URL)
    made = Passport.rebuild(
        compact,
        iat=1471375418,
        orig=Party("tn", "12155551212"),
        dest=[Party("uri", "sip:alice@example.com")],
    )
    assert made == Passport.read(
        IdentityField(f"{p.signing_input_of(HEADER, CLAIMS).decode()}.{SIGNATURE}", URL)
    )


def test_a_compact_form_of_shaken_cannot_be_made_whole():
    compact = IdentityField(f"..{SIGNATURE}", URL, ppt="shaken")
    party = Party("tn", "1")
    assert status_of(Passport.rebuild, compact, iat=1, orig=party, dest=[party]) == 438


@pytest.mark.parametrize(
    ("text", "party"),
    [
        ("+1 (215) 555-1212", Party("tn", "12155551212")),
        ("12155551212", Party("tn", "12155551212")),
        ("*67#", Party("tn", "*67#")),
        ("sip:Alice@EXAMPLE.com;user=phone", Party("uri", "sip:Alice@example.com")),
        ("sips:a@b:5061", Party("uri", "sips:a@b")),
        ("urn:x", Party("uri", "urn:x")),
    ],
)
def test_parties_in_canonical_form(text, party):
    assert Party.of(text) == party


def test_statuses_have_the_phrases_of_rfc_8224():
    assert p.refused(403, "old").reason == "Stale Date"
    assert p.refused(436, "x").reason == "Bad Identity Info"
    assert p.invalid("x").reason == "Invalid Identity Header"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
KINDS = st.sampled_from(["tn", "uri", "x"])
CLAIM = JSON | st.dictionaries(KINDS, JSON | st.lists(st.text(max_size=6), max_size=2))


def taken(make):
    """Give what `make` makes, or None where it refuses as RFC 8224 has it; all else is a fault."""
    try:
        return make()
    except RemoteProtocolError as error:
        if error.sip_status not in (436, 437, 438):
            raise AssertionError(f"status {error.sip_status}") from error
        return None


@given(
    header=st.fixed_dictionaries({}, optional=dict.fromkeys(("ppt", "crit", "alg"), JSON)),
    claims=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("iat", "orig", "dest", "attest", "origid"), CLAIM)
    ),
    ppt=st.sampled_from(["", "shaken"]),
)
def test_whatever_is_claimed_is_read_or_refused(header, claims, ppt):
    claims = SHAKEN | claims
    read = taken(lambda: Passport.read(field(HEADER | {"ppt": ppt} | header, claims, ppt=ppt)))
    assert read is None or (read.iat == claims["iat"] and read.dest)


@given(
    st.text() | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]+(;(info|ppt|alg)=<?.*>?)*", fullmatch=True)
)
@example(f"..{SIGNATURE};info=<{URL}>")
@example(f"e30.e30.{SIGNATURE};info=<{URL}>")
def test_whatever_stands_in_the_header_is_read_or_refused(text):
    assert taken(lambda: Passport.read(IdentityField.parse(text))) is None


@given(st.binary(max_size=80), st.binary(max_size=200))
def test_any_octets_in_the_token_are_read_or_refused(head, body):
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (head, body))
    token = ".".join([*parts, SIGNATURE])
    assert status_of(Passport.read, IdentityField(token, URL)) in (436, 437, 438)


@given(st.integers(0, 2**39), st.from_regex(r"[0-9]{3,15}", fullmatch=True), st.text(max_size=9))
def test_what_is_written_is_read(iat, number, origid):
    claims = SHAKEN | {"iat": iat, "orig": {"tn": number}, "origid": f"a{origid}"}
    header = HEADER | {"ppt": "shaken"}
    token = f"{p.signing_input_of(header, claims).decode()}.{SIGNATURE}"
    made = IdentityField(token, URL, ppt="shaken")
    if not origid.isascii():
        assert status_of(Passport.read, made) == 438
        return
    read = Passport.read(made)
    assert (read.iat, read.orig) == (iat, Party("tn", number))
    assert read.signing_input == p.signing_input_of(header, claims)
