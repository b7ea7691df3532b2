import asyncio

import pytest

from opensip.errors import TransportFailed
from opensip.net import dns
from opensip.net.dns import Dns, Naptr, Srv, split_server
from tests.fakes.dns_server import name_server

ZONE = {
    ("example.test", "NAPTR"): ['50 10 "S" "SIPS+D2T" "" _sips._tcp.example.test.'],
    ("_sip._udp.example.test", "SRV"): ["1 2 5070 a.example.test.", "2 0 0 ."],
    ("a.example.test", "A"): ["192.0.2.1"],
    ("a.example.test", "AAAA"): ["2001:db8::1"],
}


def ask(question, zone=ZONE):
    async def main():
        async with name_server(zone) as server:
            return await question(Dns([server.address]))

    return asyncio.run(main())


def test_records():
    assert ask(lambda d: d.naptr("example.test")) == [
        Naptr(50, 10, "s", "SIPS+D2T", "_sips._tcp.example.test")
    ]
    records = ask(lambda d: d.srv("_sip._udp.example.test"))
    assert Srv(1, 2, 5070, "a.example.test") in records
    assert ask(lambda d: d.addresses("a.example.test")) == ["192.0.2.1", "2001:db8::1"]


def test_an_answer_is_kept_for_its_time():
    async def main():
        async with name_server(ZONE) as server:
            ours = Dns([server.address])
            await ours.srv("_sip._udp.example.test")
            await ours.srv("_sip._udp.example.test")
            return server.asked

    assert asyncio.run(main()) == [("_sip._udp.example.test", "SRV")]


def test_what_is_not_there_is_no_error():
    assert ask(lambda d: d.srv("_sip._tcp.nowhere.test")) == []
    assert ask(lambda d: d.naptr("a.example.test")) == []
    assert ask(lambda d: d.srv("a..b")) == []
    with pytest.raises(TransportFailed, match="no A and no AAAA"):
        ask(lambda d: d.addresses("nowhere.test"))


def test_a_silent_server_is_as_good_as_none(monkeypatch):
    monkeypatch.setattr(dns, "LIFETIME", 0.05)

    async def main():
        async with name_server(ZONE) as server:
            server.dead = True
            return await Dns([server.address]).srv("_sip._udp.example.test")

    assert asyncio.run(main()) == []


def test_a_machine_without_name_servers(monkeypatch):
    def none(**_):
        raise dns.NoResolverConfiguration

    real = dns.Resolver
    monkeypatch.setattr(
        dns, "Resolver", lambda configure: none() if configure else real(configure=False)
    )
    assert asyncio.run(Dns().srv("_sip._udp.example.test")) == []


def test_address_stands_for_itself():
    assert asyncio.run(Dns().addresses("::1")) == ["::1"]


def test_the_systems_own_way():
    assert "127.0.0.1" in asyncio.run(Dns().addresses("localhost"))
    with pytest.raises(TransportFailed, match=r"nowhere\.invalid has no address"):
        asyncio.run(Dns().addresses("nowhere.invalid"))


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
    ],
)
def test_server_and_port(text, server):
    assert split_server(text) == server


@pytest.mark.parametrize("text", ["dns.example", "192.0.2.1:x", "192.0.2.1:70000", ""])
def test_no_server(text):
    with pytest.raises(ValueError, match="no address of a name server"):
        split_server(text)
