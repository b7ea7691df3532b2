import asyncio
from collections import Counter
from itertools import count

import pytest

from opensip.errors import TransportFailed
from opensip.net.dns import Dns, Srv
from opensip.net.resolver import Resolver, Target, in_order
from opensip.sip.uri import Uri
from tests.fakes.dns_server import name_server

HOSTS = {
    ("a.test", "A"): ["192.0.2.1"],
    ("b.test", "A"): ["192.0.2.2"],
    ("b.test", "AAAA"): ["2001:db8::2"],
}


def resolve(uri, zone=None, **options):
    async def main():
        if zone is None:
            return await Resolver().resolve(Uri.parse(uri), **options)
        async with name_server(HOSTS | zone) as server:
            resolver = Resolver(Dns([server.address]), random=lambda: 0.0)
            return await resolver.resolve(Uri.parse(uri), **options)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("sip:a@127.0.0.1", Target("UDP", "127.0.0.1", 5060, "127.0.0.1")),
        ("sip:a@127.0.0.1:5080;transport=tcp", Target("TCP", "127.0.0.1", 5080, "127.0.0.1")),
        ("sip:127.0.0.1;transport=TLS", Target("TLS", "127.0.0.1", 5061, "127.0.0.1")),
        ("sips:a@127.0.0.1", Target("TLS", "127.0.0.1", 5061, "127.0.0.1")),
        ("sips:a@127.0.0.1;transport=tcp", Target("TLS", "127.0.0.1", 5061, "127.0.0.1")),
        ("sip:a@[::1]", Target("UDP", "::1", 5060, "::1")),
        ("sip:a@example.test;maddr=127.0.0.3", Target("UDP", "127.0.0.3", 5060, "127.0.0.3")),
    ],
)
def test_explicit_addresses(uri, target):
    assert resolve(uri) == [target]


def test_host_name():
    found = resolve("sip:a@localhost;transport=tls")
    assert Target("TLS", "127.0.0.1", 5061, "localhost") in found


def test_address_with_the_name_of_its_certificate():
    found = resolve("sip:127.0.0.1;transport=tls", server_name="sbc.example")
    assert found == [Target("TLS", "127.0.0.1", 5061, "sbc.example")]


def test_naptr_chooses_transport_and_service():
    zone = {
        ("example.test", "NAPTR"): [
            '20 10 "s" "SIP+D2U" "" _sip._udp.example.test.',
            '10 20 "s" "SIP+D2T" "" _sip._tcp.example.test.',
            '10 10 "s" "SIPS+D2T" "" _sips._tcp.other.test.',
            '10 5 "s" "SIP+D2S" "" _sip._sctp.example.test.',
            '10 1 "u" "E2U+sip" "!^.*$!sip:x@y!" .',
        ],
        ("_sips._tcp.other.test", "SRV"): ["0 0 5071 a.test."],
        ("_sip._tcp.example.test", "SRV"): ["0 0 5070 a.test."],
        ("_sip._udp.example.test", "SRV"): ["0 0 5060 b.test."],
    }
    assert resolve("sip:x@example.test", zone) == [
        Target("TLS", "192.0.2.1", 5071, "example.test"),
        Target("TCP", "192.0.2.1", 5070, "example.test"),
        Target("UDP", "192.0.2.2", 5060, "example.test"),
        Target("UDP", "2001:db8::2", 5060, "example.test"),
    ]
    assert resolve("sips:x@example.test", zone) == [
        Target("TLS", "192.0.2.1", 5071, "example.test")
    ]


def test_srv_without_naptr():
    zone = {
        ("_sip._udp.example.test", "SRV"): ["1 0 5062 b.test.", "0 0 5061 a.test."],
        ("_sip._tcp.example.test", "SRV"): ["0 0 5060 gone.test.", "0 0 5060 a.test."],
    }
    assert [str(target) for target in resolve("sip:x@example.test", zone)] == [
        "UDP 192.0.2.1:5061",
        "UDP 192.0.2.2:5062",
        "UDP [2001:db8::2]:5062",
        "TCP 192.0.2.1:5060",
    ]
    by_tcp = resolve("sip:x@example.test;transport=tcp", zone)
    assert [str(target) for target in by_tcp] == ["TCP 192.0.2.1:5060"]


def test_neither_naptr_nor_srv():
    assert resolve("sip:x@a.test", {}) == [Target("UDP", "192.0.2.1", 5060, "a.test")]
    assert resolve("sips:x@a.test", {}) == [Target("TLS", "192.0.2.1", 5061, "a.test")]
    with pytest.raises(TransportFailed, match="no address"):
        resolve("sip:x@none.test", {})


def test_port_means_no_srv():
    zone = {("_sip._udp.a.test", "SRV"): ["0 0 5099 b.test."]}
    assert resolve("sip:x@a.test:5070", zone) == [Target("UDP", "192.0.2.1", 5070, "a.test")]


def test_weights_are_kept_over_many_choices():
    dice = count()
    records = [Srv(0, 60, 1, "a"), Srv(0, 40, 2, "b"), Srv(0, 0, 3, "c"), Srv(1, 9, 4, "d")]
    firsts = Counter()
    for _ in range(1000):
        ordered = in_order(records, lambda: (next(dice) * 0.618034) % 1)
        firsts[ordered[0].target] += 1
        assert ordered[-1].target == "d"
        assert sorted(record.target for record in ordered) == ["a", "b", "c", "d"]
    assert 550 < firsts["a"] < 650
    assert firsts["c"] < 10


def test_service_that_is_not_there():
    assert in_order([Srv(0, 0, 0, "")], lambda: 0.5) == []


@pytest.mark.parametrize(
    "uri", ["tel:+15551234", "sip:a@h;transport=sctp", "sips:a@h;transport=udp"]
)
def test_what_is_not_spoken(uri):
    with pytest.raises(TransportFailed):
        resolve(uri)
