import asyncio
import ssl
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import ConfigError, TransportFailed
from opensip.net.guarded_https import (
    MAX_BODY,
    GuardedHttps,
    HttpsRules,
    Page,
    allowed,
    https_context,
)

LOOPBACK = (ip_network("127.0.0.0/8"),)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nchain"


class Web:
    """An HTTPS server on loopback that answers everything with `response`, or never."""

    def __init__(self, pair, response=OK):
        self.response = response
        self.requests = []
        self.gone = asyncio.Event()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pair.certificate, pair.key)

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            if self.response is None:
                await reader.read()
            else:
                writer.write(self.response)
                await writer.drain()
        except OSError:
            pass
        finally:
            self.gone.set()
            writer.close()


async def leads_to_loopback(_host):
    return ["127.0.0.1"]


def rules(web, authority, **more):
    return HttpsRules((web.port,), LOOPBACK, authority.ca, **more)


def get(pair, authority, response=OK, *, host="sip.example", path="/a.pem?b=1", lookup=None):
    """Fetch from a server that responds so; returns the page and the request it saw."""

    async def main():
        async with Web(pair, response) as web:
            https = GuardedHttps(rules(web, authority), lookup or leads_to_loopback)
            page = await https.get(f"https://{host}:{web.port}{path}")
            return page, web.requests[0].decode()

    return asyncio.run(main())


def refusal(*arguments, **more):
    with pytest.raises(TransportFailed) as caught:
        get(*arguments, **more)
    return str(caught.value)


def test_a_page_is_fetched(ec_pair, authority):
    page, request = get(ec_pair, authority)
    assert page == Page(b"chain")
    first, host, *_ = request.split("\r\n")
    assert first == "GET /a.pem?b=1 HTTP/1.1"
    assert host.startswith("Host: sip.example:")


def test_of_an_address_the_certificate_must_be_made_out_to_it(ec_pair, authority):
    page, _ = get(ec_pair, authority, host="127.0.0.1", path="")
    assert page.body == b"chain"


@pytest.mark.parametrize(
    ("control", "max_age"),
    [
        ("max-age=600", 600),
        ("public, Max-Age=60", 60),
        ("no-store", 0),
        ("max-age=600, no-cache", 0),
        ("s-maxage=600", None),
        ("max-age=x", None),
    ],
)
def test_how_long_it_may_be_kept(ec_pair, authority, control, max_age):
    response = f"HTTP/1.1 200 OK\r\nCache-Control: {control}\r\n\r\nchain".encode()
    page, _ = get(ec_pair, authority, response)
    assert page == Page(b"chain", max_age)


def test_a_body_in_chunks(ec_pair, authority):
    response = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ncha\r\n2\r\nin\r\n0\r\n\r\n"
    )
    assert get(ec_pair, authority, response)[0].body == b"chain"


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: https://10.0.0.1/\r\n\r\n", "answered 302"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered 404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nchain", "less than it said"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_BODY + 1), "more than 65536"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_BODY * 3), "more than 65536"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", "no HTTP"),
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP"),
        (b"", "no HTTP"),
    ],
)
def test_responses_that_are_no_certificate(ec_pair, authority, response, why):
    assert why in refusal(ec_pair, authority, response)


def test_a_server_that_says_nothing_is_left_when_time_is_up(ec_pair, authority):
    async def main():
        async with Web(ec_pair, None) as web:
            https = GuardedHttps(rules(web, authority), leads_to_loopback)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await https.get(f"https://sip.example:{web.port}/")
            await asyncio.wait_for(web.gone.wait(), 1)

    asyncio.run(main())


def test_a_server_must_be_the_one_it_says(ec_pair, authority):
    assert "over TLS" in refusal(ec_pair, authority, host="other.example")


def test_a_server_of_an_unknown_authority_is_refused(ec_pair):
    async def main():
        async with Web(ec_pair) as web:
            https = GuardedHttps(HttpsRules((web.port,), LOOPBACK), leads_to_loopback)
            await https.get(f"https://sip.example:{web.port}/")

    with pytest.raises(TransportFailed, match="over TLS"):
        asyncio.run(main())


def test_the_next_address_is_tried_where_one_is_dead(ec_pair, authority):
    async def lookup(_host):
        return ["127.0.0.9", "127.0.0.1"]

    assert get(ec_pair, authority, lookup=lookup)[0].body == b"chain"


def test_a_name_is_asked_for_once(ec_pair, authority):
    answers = [["127.0.0.1"]]

    async def lookup(_host):
        return answers.pop()

    assert get(ec_pair, authority, lookup=lookup)[0].body == b"chain"
    assert answers == []


def asked(url, addresses=()):
    """Fetch what leads to `addresses`; returns why that is refused."""

    async def lookup(_host):
        return list(addresses)

    async def main():
        await GuardedHttps(HttpsRules(), lookup).get(url)

    with pytest.raises(TransportFailed) as caught:
        asyncio.run(main())
    return str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1", "fec0::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::7f00:1"),
        *("2002:7f00:1::", "2002:808:808::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    ],
)
def test_addresses_that_are_not_public_are_refused(address):
    assert "not public" in asked("https://certs.example/", (address,))
    assert "not public" in asked("https://certs.example/", ("8.8.8.8", "2606:4700::1", address))


def is_allowed(address, *networks):
    try:
        return allowed("h", [address], networks) == [address]
    except TransportFailed:
        return False


@pytest.mark.parametrize("address", ["8.8.8.8", "::ffff:8.8.8.8", "2606:4700::1111"])
def test_public_addresses_are_allowed(address):
    assert is_allowed(address)


def test_networks_of_the_rules_are_allowed_and_no_others():
    inside = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    for address in ("10.1.0.1", "::ffff:10.1.0.1", "fd00::1", "8.8.8.8"):
        assert is_allowed(address, *inside)
    for address in ("10.2.0.1", "fc00::1", "64:ff9b::a01:1", "127.0.0.1"):
        assert not is_allowed(address, *inside)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_what_it_is(address):
    assert is_allowed(f"::ffff:{address}") == is_allowed(str(address))
    assert not is_allowed(f"64:ff9b::{address}")
    assert not (is_allowed(str(address)) and address.is_private)


@given(st.ip_addresses(v=6))
def test_of_ipv6_only_what_is_given_out_is_public(address):
    if is_allowed(str(address)):
        assert address.ipv4_mapped or address in ip_network("2000::/3")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://certs.example/", "not https"),
        ("file:///etc/passwd", "not https"),
        ("https:///x", "not https"),
        ("https://user@certs.example/", "not https"),
        ("https://user:pw@certs.example/", "not https"),
        ("https://certs_.exämple/", "characters"),
        ("https://certs.example/\r\nX: y", "characters"),
        ("https://certs.example/ x", "characters"),
        ("https://certs.example:22/", "port 22"),
        ("https://certs.example:99999/", "no URL"),
        ("https://certs.example:x/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://[fe80::1%25eth0]/", "not https"),
        ("https://certs.example/" + "x" * 500, "too long"),
        ("", "not https"),
    ],
)
def test_urls_that_are_not_followed(url, why):
    assert why in asked(url)


def test_a_ca_that_cannot_be_used_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"authority file .*absent\.pem"):
        https_context(tmp_path / "absent.pem")


def test_tls_is_1_2_at_least():
    assert https_context(None).minimum_version == ssl.TLSVersion.TLSv1_2


def test_every_python_takes_the_same_certificates():
    context = https_context(None)
    assert not context.verify_flags & ssl.VerifyFlags.VERIFY_X509_STRICT
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
