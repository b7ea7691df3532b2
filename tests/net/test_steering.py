import socket
import sys
from ipaddress import ip_network

import pytest

from opensip.net import steering
from opensip.net.steering import bind_datagrams, program, steer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's part is Linux's")

SOURCES = ("127.0.0.2", "127.0.0.3", "127.1.0.1", "127.1.255.9", "127.2.0.1")


@pytest.fixture
def bound():
    sockets = []

    def bind(known, host="127.0.0.1"):
        sockets[:] = bind_datagrams(host, 0, known and [ip_network(one) for one in known])
        return sockets

    yield bind
    for sock in sockets:
        sock.close()


def heard(sockets, sources=SOURCES):
    """Send from each source, and list who was heard on which socket."""
    for source in sources:
        with socket.socket(sockets[0].family, socket.SOCK_DGRAM) as sender:
            sender.bind((source, 0))
            sender.sendto(source.encode(), sockets[0].getsockname())
    return [[data.decode() for data in drained(sock)] for sock in sockets]


def drained(sock):
    while True:
        try:
            yield sock.recv(100)
        except BlockingIOError:
            return


def test_known_networks_have_the_first_socket(bound):
    sockets = bound(["127.0.0.2/32", "127.1.0.0/16"])
    assert heard(sockets) == [["127.0.0.2", "127.1.0.1", "127.1.255.9"], ["127.0.0.3", "127.2.0.1"]]


@pytest.mark.parametrize(
    ("known", "first"),
    [(["0.0.0.0/0"], list(SOURCES)), (["2001:db8::/32"], []), (["127.0.0.2/31"], [*SOURCES[:2]])],
)
def test_all_none_and_odd_lengths(bound, known, first):
    assert heard(bound(known))[0] == first


def test_they_can_change(bound):
    sockets = bound(["127.0.0.2/32"])
    steer(sockets[0], [ip_network("127.0.0.3/32")])
    assert heard(sockets)[0] == ["127.0.0.3"]
    steer(sockets[0], [])
    assert heard(sockets)[0] == []


def test_addresses_of_ipv6(bound):
    try:
        sockets = bound(["2001:db8:1:2::/64", "::1/128"], "::1")
    except OSError:
        pytest.skip("no IPv6 here")
    assert heard(sockets, ("::1",)) == [["::1"], []]
    steer(sockets[0], [ip_network("::/127")])
    assert heard(sockets, ("::1",)) == [["::1"], []]
    steer(sockets[0], [ip_network("::2/128")])
    assert heard(sockets, ("::1",)) == [[], ["::1"]]


def test_nobody_else_may_have_the_port(bound):
    sockets = bound(["127.0.0.2/32"])
    host, port = sockets[0].getsockname()
    for known in (None, []):
        with pytest.raises(OSError, match="in use"):
            bind_datagrams(host, port, known)


def test_without_networks_one_socket_serves_all(bound):
    assert len(bound(None)) == 1


def test_more_networks_than_the_kernel_takes(bound, monkeypatch):
    monkeypatch.setattr(steering, "MAX_INSTRUCTIONS", 3)
    assert len(bound(["127.0.0.2/32"])) == 1


def test_networks_that_lie_in_one_another_are_one():
    inner, outer = ip_network("192.0.2.0/28"), ip_network("192.0.2.0/24")
    assert program([inner, outer], 4) == program([outer], 4)
