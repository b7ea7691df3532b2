import asyncio

import pytest

from opensip.errors import TransportFailed
from opensip.net.resolver import Target, addresses, resolve
from opensip.sip.uri import Uri


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("sip:a@127.0.0.1", Target("UDP", "127.0.0.1", 5060, "127.0.0.1")),
        ("sip:a@127.0.0.1:5080;transport=tcp", Target("TCP", "127.0.0.1", 5080, "127.0.0.1")),
        ("sip:127.0.0.1;transport=TLS", Target("TLS", "127.0.0.1", 5061, "127.0.0.1")),
        ("sips:a@127.0.0.1", Target("TLS", "127.0.0.1", 5061, "127.0.0.1")),
        ("sips:a@127.0.0.1;transport=tcp", Target("TLS", "127.0.0.1", 5061, "127.0.0.1")),
        ("sip:a@[::1]", Target("UDP", "::1", 5060, "::1")),
    ],
)
def test_explicit_addresses(uri, target):
    assert asyncio.run(resolve(Uri.parse(uri))) == [target]


def test_host_name():
    found = asyncio.run(resolve(Uri.parse("sip:a@localhost;transport=tls")))
    assert Target("TLS", "127.0.0.1", 5061, "localhost") in found


@pytest.mark.parametrize(
    "uri", ["tel:+15551234", "sip:a@h;transport=sctp", "sips:a@h;transport=udp"]
)
def test_what_is_not_spoken(uri):
    with pytest.raises(TransportFailed):
        asyncio.run(resolve(Uri.parse(uri)))


def test_name_without_address():
    with pytest.raises(TransportFailed, match=r"nowhere\.invalid has no address"):
        asyncio.run(addresses("nowhere.invalid"))
