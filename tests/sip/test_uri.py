import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.sip.grammar import Params
from opensip.sip.uri import NameAddr, Uri
from tests.fakes.cost import DEAR, cpu_seconds

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
HOSTS = st.sampled_from(["example.com", "192.0.2.1", "2001:db8::1", "a_b"])


def test_parts_of_a_sip_uri():
    uri = Uri.parse("SIP:+1555;par=u%40x:se%3Acret@Example.com:5061;transport=TLS;lr?X-A=b%20c&d")
    assert (uri.scheme, uri.user, uri.password) == ("sip", "+1555;par=u@x", "se:cret")
    assert (uri.host, uri.port, uri.transport) == ("Example.com", 5061, "tls")
    assert uri.params.has("lr")
    assert uri.unescaped_headers() == (("X-A", "b c"), ("d", ""))
    assert not uri.is_secure
    assert Uri.parse("sips:a").is_secure
    assert Uri.parse("sip:a").transport is None


def test_a_parsed_uri_is_written_as_it_was_spelled():
    for text in (
        "SIP:%61@B;X=%41?a=b",
        "tel:+1-555;phone-context=a",
        "urn:service:sos",
        "sip:[::1]",
    ):
        assert str(Uri.parse(text)) == text


def test_ipv6_is_without_brackets_inside_and_with_them_outside():
    assert Uri.parse("sip:a@[2001:db8::10]:5070").host == "2001:db8::10"
    assert str(Uri("sip", "a", host="2001:db8::10", port=5070)) == "sip:a@[2001:db8::10]:5070"
    assert Uri.parse("sip:[2001:db8::10:5070]").port is None


def test_a_tel_uri_keeps_its_number_in_user():
    uri = Uri.parse("tel:+1-201-555-0123;phone-context=example.com")
    assert (uri.user, uri.host) == ("+1-201-555-0123", "")
    assert str(Uri("tel", "911")) == "tel:911"
    assert str(uri.without_param("phone-context")) == "tel:+1-201-555-0123"


def test_another_scheme_is_opaque():
    uri = Uri.parse("urn:service:sos")
    assert (uri.scheme, uri.user, uri.opaque) == ("urn", None, "service:sos")
    assert str(Uri("urn", opaque="service:sos")) == "urn:service:sos"


@pytest.mark.parametrize(
    "text",
    [
        "", "sip", "sip:", ":a", "1:a", "sip:@a", "sip:a@", "sip:a@@b", "sip:a b@c", "sip:a;;b",
        "sip:a;", "sip:a?", "sip:a?=b", "sip:a:b", "sip:a:99999", "sip:2001:db8::10", "tel:",
        "tel:x y", "tel:hello", "<sip:a>", 'sip:"a"@b', "sip:a\r\n@b", "sip:a\x00@b",
    ],
)  # fmt: skip
def test_what_is_no_uri(text):
    with pytest.raises(RemoteProtocolError):
        Uri.parse(text)


def test_changes_keep_the_rest():
    uri = (
        Uri.parse("sip:a@b;lr")
        .with_param("transport", "tls")
        .with_header("X-Sum mary", "a&b=c\r\n")
    )
    assert str(uri) == "sip:a@b;lr;transport=tls?X-Sum%20mary=a%26b%3Dc%0D%0A"
    assert str(uri.without_headers().without_param("LR")) == "sip:a@b;transport=tls"
    assert uri.unescaped_headers() == (("X-Sum mary", "a&b=c\r\n"),)
    assert str(Uri.parse("sip:b").with_param("lr")) == "sip:b;lr"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        ("sip:a@b;transport=tcp?p=1&s=2", "sip:a@b;transport=tcp?s=2&p=1"),
        (
            "sip:alice@atlanta.com?subject=project%20x",
            "sip:alice@atlanta.com?Subject=project x".replace(" ", "%20"),
        ),
    ],
)
def test_equivalent_uris_of_rfc_3261_section_19_1_4(one, other):
    assert Uri.parse(one).equivalent(Uri.parse(other))
    assert Uri.parse(other).equivalent(Uri.parse(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIP:ALICE@AtLanTa.CoM", "sip:alice@AtLanTa.CoM"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    ],
)
def test_uris_that_are_not_equivalent(one, other):
    assert not Uri.parse(one).equivalent(Uri.parse(other))


def test_comparing_uris_costs_little_however_many_parameters_they_have():
    one, other = (
        Uri.parse("sip:b" + "".join(f";{n:x}" for n in range(first, first + 2500)))
        for first in (0, 3000)
    )
    assert cpu_seconds(lambda: one.equivalent(other)) < DEAR
    assert Uri.parse("sip:b;A=1;a=2").equivalent(Uri.parse("sip:b;a=1"))


@given(st.tuples(TEXT, st.none() | TEXT, HOSTS, st.none() | st.integers(0, 65535)), TEXT, TEXT)
def test_any_uri_round_trips(address, value, header):
    uri = Uri("sip", *address).with_param("x", value).with_header("H", header)
    again = Uri.parse(str(uri))
    assert again == uri
    assert again.unescaped_headers() == (("H", header),)


@pytest.mark.parametrize(
    ("text", "display", "uri", "tag"),
    [
        ("<sip:a@b>;tag=1", None, "sip:a@b", "1"),
        ('"A \\"B\\" <c>" <sip:a@b;lr?x=y>;tag=1', 'A "B" <c>', "sip:a@b;lr?x=y", "1"),
        ("Two Words <sip:a@b>", "Two Words", "sip:a@b", None),
        ("caller<sip:a@b>", "caller", "sip:a@b", None),
        ("sip:a@b;tag=1", None, "sip:a@b", "1"),
        ('""<sip:a@b>', "", "sip:a@b", None),
        ("<sip:a@b >", None, "sip:a@b", None),
    ],
)
def test_addresses(text, display, uri, tag):
    address = NameAddr.parse(text)
    assert (address.display_name, str(address.uri), address.tag) == (display, uri, tag)
    assert NameAddr.parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "*", '"a <sip:a@b>', '"a" sip:a@b', "<sip:a@b", "sip:a@b?c=d", "sip:a,b@c",
        'a"b <sip:a@b>',         "<sip:a@b>tag", "<sip:a@b>;tag=",
    ],
)  # fmt: skip
def test_what_is_no_address(text):
    with pytest.raises(RemoteProtocolError):
        NameAddr.parse(text)


def test_a_tag_is_set_and_a_name_is_quoted_unless_it_is_a_token():
    uri = Uri("sip", "a", host="b")
    assert str(NameAddr("Bob", uri).with_tag("1")) == "Bob <sip:a@b>;tag=1"
    assert str(NameAddr('B "o" b', uri)) == '"B \\"o\\" b" <sip:a@b>'


@given(st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20), TEXT)
def test_any_address_round_trips(display, tag):
    tag = "".join(c for c in tag if c.isprintable()) or "t"
    address = NameAddr(display, Uri("sip", "a", host="b"), Params.of([("tag", tag)]))
    assert NameAddr.parse(str(address)) == address


def test_what_was_read_before_is_not_read_again():
    text = "<sip:again@example.com>;tag=x"
    assert NameAddr.parse(text) is NameAddr.parse(text)
    assert NameAddr.parse(text).uri is Uri.parse("sip:again@example.com")
