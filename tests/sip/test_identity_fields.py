import pytest

from opensip.errors import RemoteProtocolError
from opensip.sip.fields import Reason
from opensip.sip.identity_fields import HistoryEntry, InfoPackage, Privacy, ReferredBy


def test_referred_by():
    # RFC 3892 section 4
    text = '<sip:referrer@referrer.example>;cid="20398823.2UWQFN309shb3@referrer.example"'
    by = ReferredBy.parse(text)
    assert str(by.uri) == "sip:referrer@referrer.example"
    assert by.content_id == "20398823.2UWQFN309shb3@referrer.example"
    assert str(by) == text
    assert ReferredBy.parse("sip:r@ref.example").content_id is None


def test_history_info():
    # RFC 7044 section 5.2 and appendix B
    entry = HistoryEntry.parse(
        "<sip:bob@biloxi.example.com?Reason=SIP%3Bcause%3D302%2CQ.850%3Bcause%3D19>;index=1.1;rc=1"
    )
    assert entry.uri.user == "bob"
    assert entry.index == "1.1"
    assert entry.reasons == (Reason("SIP", 302), Reason("Q.850", 19))
    assert not entry.is_private
    assert "index=1.1;rc=1" in str(entry)
    hidden = HistoryEntry.parse("<sip:a@b?Privacy=history>;index=1")
    assert hidden.is_private
    assert hidden.reasons == ()
    assert not HistoryEntry.parse("<sip:a@b?Privacy=none>;index=1").is_private


def test_privacy():
    assert Privacy.parse("ID ; critical").values == ("id", "critical")
    assert Privacy.parse("id").hides_identity
    assert Privacy.parse("header;user").hides_identity
    assert not Privacy.parse("none").hides_identity
    assert Privacy.parse("header").hides_history
    assert not Privacy.parse("id").hides_history
    assert str(Privacy.parse("ID ; critical")) == "id;critical"


def test_info_package():
    package = InfoPackage.parse("Infotainment;x=1")
    assert package.name == "infotainment"
    assert str(package) == "infotainment;x=1"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ReferredBy, ""),
        (HistoryEntry, "<sip:a@b>"),
        (HistoryEntry, "<sip:a@b>;index=1..2"),
        (HistoryEntry, "<sip:a@b>;index=x"),
        (Privacy, ""),
        (Privacy, "id;;user"),
        (Privacy, "id user"),
        (InfoPackage, ""),
        (InfoPackage, "a b"),
    ],
)
def test_what_does_not_follow_the_grammar(kind, text):
    with pytest.raises(RemoteProtocolError):
        kind.parse(text)
