import asyncio
import ssl

import pytest

from opensip.errors import TransportFailed
from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from opensip.net.tls_identity import WrongIdentity, check_identity, identities, why_failed
from tests.fakes.sip_node import SipNode, run


def certificate(*names, common_name="common.example"):
    subject = ((("commonName", common_name),),)
    return {"subject": subject, "subjectAltName": names} if names else {"subject": subject}


def test_sip_uris_come_before_dns_names():
    both = certificate(("DNS", "host.example"), ("URI", "sip:Example.COM"))
    assert identities(both) == ("example.com",)
    assert identities(certificate(("DNS", "host.example"))) == ("host.example",)


def test_uri_of_a_user_or_of_another_kind_is_no_domain():
    odd = certificate(("URI", "sip:bob@x.example"), ("URI", "https://y"), ("URI", "sip:["))
    assert identities(odd) == ()


def test_common_name_counts_only_alone():
    assert identities(certificate()) == ("common.example",)
    assert identities(certificate(("IP Address", "192.0.2.1"))) == ("192.0.2.1",)
    assert identities({}) == ()


@pytest.mark.parametrize("name", ["sip.example", "SIP.Example.", "192.0.2.1", "*.w.example"])
def test_names_that_fit(name):
    there = certificate(("DNS", "sip.example"), ("DNS", "*.w.example"), ("IP Address", "192.0.2.1"))
    check_identity(there, name)


@pytest.mark.parametrize("name", ["a.w.example", "example", "192.0.2.2", "common.example"])
def test_names_that_do_not_fit(name):
    there = certificate(("DNS", "sip.example"), ("DNS", "*.w.example"))
    with pytest.raises(WrongIdentity, match=r"made out to sip\.example, .*tls_name"):
        check_identity(there, name)


def test_address_in_another_spelling():
    check_identity(certificate(("IP Address", "2001:DB8:0:0:0:0:0:1")), "2001:db8::1")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ssl.SSLError(1, "[SSL: NO_SHARED_CIPHER] no shared cipher"), "no cipher suite"),
        (ssl.SSLError(1, "[SSL] sslv3 alert handshake failure"), "no cipher suite"),
        (ssl.SSLError(1, "[SSL] tlsv13 alert certificate required"), "missing client certificate"),
        (ssl.SSLError(1, "something else"), "something else"),
        (TimeoutError(), "in time"),
        (ConnectionResetError(), "hung up"),
        (OSError(), "OSError"),
    ],
)
def test_reasons_in_words(error, words):
    assert words in why_failed(error)


def connecting(pair, tls, name):
    """Connect to a listener that shows `pair`; return why that failed."""
    said = []

    async def main():
        at = Listener("TLS", "127.0.0.1", 0, tls=TlsConfig(pair.certificate, pair.key))
        async with SipNode(at) as there, SipNode() as here:
            _, host, port = there.transport.bound[0]
            with pytest.raises(TransportFailed) as failed:
                await here.transport.flow_to("TLS", host, port, server_name=name, tls=tls)
            said.append(str(failed.value))
            assert here.transport.connection_count == 0
            await asyncio.sleep(0)

    run(main)
    return said[0]


def test_what_we_refuse_says_which(authority, ec_pair, tmp_path):
    trust = TlsConfig(ca=authority.ca)
    assert "wrong name" in connecting(ec_pair, trust, "other.example")
    old = authority.sign("sip.example", expired=True)
    assert "has expired" in connecting(old, trust, "sip.example")
    foreign = type(authority)(tmp_path).sign("sip.example")
    assert "unknown CA" in connecting(foreign, trust, "sip.example")
