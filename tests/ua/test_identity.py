import base64

import pytest

from opensip.sip.headers import Headers
from opensip.sip.message import Request
from opensip.sip.uri import Uri
from opensip.ua.identity import CallerIdentity, caller, context, decode_user_to_user

FROM = ("From", '"WIRELESS CALLER" <sip:+15551112222@192.0.2.10;user=phone>;tag=1')


def invite(*headers):
    return Request("INVITE", Uri("sip", "a", host="b"), Headers((FROM, *headers)))


def test_from_is_all_that_an_untrusted_trunk_can_say():
    request = invite(("P-Asserted-Identity", "<sip:+1999@192.0.2.10>"))
    assert caller(request, False) == CallerIdentity(
        "+15551112222", "WIRELESS CALLER", "from", False
    )


def test_asserted_identity_then_remote_party_then_from():
    party = ("Remote-Party-ID", '"Bob" <sip:+1888@h>;party=calling;privacy=full')
    asserted = ("P-Asserted-Identity", "<tel:+1777>, Carol <sip:+1999;verstat=x@h>")
    assert caller(invite(party, asserted), True) == CallerIdentity("+1999", "Carol", "pai", False)
    assert caller(invite(party), True) == CallerIdentity("+1888", "Bob", "rpid", True)
    assert caller(invite(), True).source == "from"


def test_a_tel_identity_alone_is_taken_and_an_unreadable_one_is_passed_over():
    asserted = ("P-Asserted-Identity", "garbage, <tel:+1777>")
    assert caller(invite(asserted), True).number == "+1777"
    assert caller(invite(("P-Asserted-Identity", "garbage")), True).source == "from"


def test_privacy_is_told_beside_the_number():
    request = invite(("P-Asserted-Identity", "<sip:+1999@h>"), ("Privacy", "id;critical"))
    assert caller(request, True) == CallerIdentity("+1999", "", "pai", True)
    assert not caller(invite(("Privacy", "none")), True).privacy


def test_an_anonymous_caller_has_no_number():
    anonymous = ("From", '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1')
    request = Request("INVITE", Uri("sip", "a", host="b"), Headers([anonymous]))
    assert caller(request, True) == CallerIdentity("", "Anonymous", "from", True)


def test_control_characters_do_not_reach_a_screen():
    request = Request(
        "INVITE",
        Uri("sip", "a", host="b"),
        Headers([("From", '"a\x1b[31m\udcff" <sip:1@h>;tag=1')]),
    )
    assert caller(request, False).display_name == "a [31m\ufffd"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("00" + b'{"v":1}'.hex() + ";encoding=hex", '{"v":1}'),
        (b"hello".hex(), "hello"),
        ("ff00;encoding=hex", "ff00"),
        ("aGVsbG8gd29ybGQ=;encoding=base64", "hello world"),
        ("aGVsbG8gd29ybGQ", "hello world"),
        (base64.urlsafe_b64encode(b"a??>>b").decode(), "a??>>b"),
        ("AAAA;encoding=base64", "AAAA"),
        ("A;encoding=base64", "A"),
        ("AAAAA", "AAAAA"),
        ("eyJhbGciOiJIUzI1NiJ9.WyJoaSJd.-znkjYyCkg;encoding=jwt", '["hi"]'),
        ('"plain; words, quoted";encoding=ascii', "plain; words, quoted"),
        ("order-42!", "order-42!"),
        ("616263;encoding=ascii", "616263"),
        (";encoding=hex", ""),
    ],
)
def test_user_to_user_in_every_form_seen(value, text):
    assert decode_user_to_user(value) == text


def test_context_of_a_bandwidth_call():
    request = invite(
        ("Diversion", "<sip:+15558884444@192.0.2.10>;reason=no-answer;privacy=off;counter=1"),
        ("Diversion", "<sip:+15550000000@192.0.2.10>"),
        ("User-to-User", "eyJhbGciOiJIUzI1NiJ9.WyJoaSJd.-znkjYyCkgz4;encoding=jwt"),
        ("User-to-User", "aGVsbG8gd29ybGQ=;encoding=base64"),
        ("User-to-User", ""),
        ("X-Account-Id", "42\x00"),
        ("X-Secret", "not configured"),
    )
    assert context(request, ["x-account-id", "X-Absent"]) == {
        "diversion": "+15558884444",
        "diversion_reason": "no-answer",
        "user_to_user": '["hi"]',
        "user_to_user_2": "hello world",
        "x_account_id": "42",
    }
    assert context(invite(("Diversion", "<sip:+1@h>")), []) == {
        "diversion": "+1",
        "diversion_reason": "unknown",
    }


def test_context_of_a_call_that_was_passed_on():
    told = context(
        invite(
            ("History-Info", "<sip:+1555@a>;index=1, <sip:+1556@b?Privacy=history>;index=1.1"),
            ("History-Info", "<sip:unreadable, <sip:+1557@c>;index=x"),
            ("History-Info", "<sip:+1558@c>;index=1.2, <sip:us@here>;index=1.3"),
            ("Referred-By", "<sip:+1559@desk.example>"),
        ),
        (),
    )
    assert told == {"history": "+1555 +1558", "referred_by": "+1559"}
    assert context(invite(("Referred-By", "<sip:desk.example>")), ()) == {
        "referred_by": "desk.example"
    }


def test_of_two_remote_parties_it_is_the_one_that_calls():
    """Where the called party stands beside it, and first."""
    called = ("Remote-Party-ID", "<sip:+1777@h>;party=called;privacy=off")
    calling = ("Remote-Party-ID", '"Bob" <sip:+1888@h>;party=calling;privacy=full')
    assert caller(invite(called, calling), True) == CallerIdentity("+1888", "Bob", "rpid", True)
    silent = ("Remote-Party-ID", "<sip:+1999@h>")
    assert caller(invite(called, silent), True).number == "+1999"


def test_a_header_that_cannot_be_told_apart_costs_nothing():
    broken = [(name, ',"never closed') for name in ("P-Asserted-Identity", "Diversion")]
    broken += [(name, ',"never closed') for name in ("User-to-User", "History-Info", "Referred-By")]
    assert caller(invite(*broken), True).source == "from"
    assert context(invite(*broken), []) == {}
