import errno
import socket

import pytest
import structlog

from opensip.errors import ConfigError, MediaError
from opensip.media.ports import PortPool
from opensip.media.resting_ports import COOL_DOWN, LEAST_REST


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def free_range(pairs):
    """Find an even port with `pairs` free pairs from there on."""
    for first in range(31000, 60000, 2 * pairs):
        held = []
        try:
            for port in range(first, first + 2 * pairs):
                held.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                held[-1].bind(("127.0.0.1", port))
            return first, first + 2 * pairs - 1
        except OSError:
            continue
        finally:
            for s in held:
                s.close()
    raise AssertionError("no free ports")


def test_the_system_picks_an_even_pair():
    pool = PortPool("127.0.0.1", 0, 0, clock=Clock())
    pair = pool.take()
    host, port = pair.address
    assert host == "127.0.0.1"
    assert port % 2 == 0
    assert pair.rtcp.getsockname()[1] == port + 1
    assert pair.rtp.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 0xB8
    assert pool.in_use == 1
    pair.close()
    assert pool.in_use == 0


def test_a_closed_pair_rests_before_it_is_used_again():
    clock, (first, last) = Clock(), free_range(2)
    pool = PortPool("127.0.0.1", first, last, clock=clock, random=lambda n: n - 1)
    one, two = pool.take(), pool.take()
    assert [one.address[1], two.address[1]] == [first + 2, first]
    one.close()
    with pytest.raises(MediaError, match="no free pair"):
        pool.take()
    clock.now += COOL_DOWN
    again = pool.take()
    assert again.address[1] == first + 2
    again.close()
    two.close()


def test_where_no_other_is_free_the_one_that_has_rested_longest_is_taken():
    clock, (first, last) = Clock(), free_range(3)
    pool = PortPool("127.0.0.1", first, last, clock=clock, random=lambda n: 0)
    pairs = [pool.take() for _ in range(3)]
    for pair in pairs:
        pair.close()
        clock.now += LEAST_REST / 2
    with structlog.testing.capture_logs() as logs:
        again = [pool.take(), pool.take()]
        with pytest.raises(MediaError, match="no free pair"):
            pool.take()
    assert [pair.address[1] for pair in again] == [first, first + 2]
    assert [(one["event"], one["port"], one["rested"]) for one in logs] == [
        ("media_port_taken_early", first, 7.5),
        ("media_port_taken_early", first + 2, 5.0),
    ]
    for pair in again:
        pair.close()


def test_sockets_of_calls_that_are_over_go_first_where_no_more_may_be_open(monkeypatch):
    first, last = free_range(3)
    pool = PortPool(
        "127.0.0.1", first, last, clock=Clock(), random=lambda n: 0, later=lambda *_: None
    )
    pool.take().close()
    made, full, real = [], [False], socket.socket

    def short(*args, **more):
        made.append(args)
        if full[0] or (len(made) > 1 and pool._resting._held):  # room for one beside those
            raise OSError(errno.EMFILE, "Too many open files")
        return real(*args, **more)

    monkeypatch.setattr(socket, "socket", short)
    pair = pool.take()
    full[0] = True
    with pytest.raises(MediaError, match="Too many open files; raise the limit"):
        pool.take()
    monkeypatch.undo()
    pair.close()
    pool.close()


def test_a_pair_that_another_program_holds_is_passed_over():
    first, last = free_range(2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", first + 1))
        pool = PortPool("127.0.0.1", first, last, clock=Clock(), random=lambda n: 0)
        pair = pool.take()
        assert pair.address[1] == first + 2
        pair.close()


def test_a_foreign_address_has_no_ports():
    with pytest.raises(MediaError):
        PortPool("192.0.2.1", 0, 0, clock=Clock()).take()


@pytest.mark.parametrize(("first", "last"), [(20001, 20001), (20000, 20000), (20001, 20002)])
def test_a_range_without_a_pair_is_refused(first, last):
    with pytest.raises(ConfigError, match=f"{first} to {last}"):
        PortPool("127.0.0.1", first, last, clock=Clock())


def test_no_port_beyond_the_range_is_bound():
    first, _ = free_range(2)
    pool = PortPool("127.0.0.1", first, first + 2, clock=Clock(), random=lambda n: 0)
    pair = pool.take()
    with pytest.raises(MediaError, match="no free pair"):
        pool.take()
    pair.close()


def test_a_pair_of_the_other_kind_of_address():
    pool = PortPool("127.0.0.1", 0, 0, clock=Clock())
    try:
        pair = pool.take("::1")
    except MediaError:
        pytest.skip("no IPv6 on this machine")
    assert (pair.address[0], pair.rtp.family) == ("::1", socket.AF_INET6)
    pair.close()


def test_ipv6():
    try:
        pair = PortPool("::1", 0, 0, clock=Clock()).take()
    except MediaError:
        pytest.skip("this machine has no IPv6")
    assert pair.address[0] == "::1"
    pair.close()


def test_what_cannot_be_sent_is_told():
    pair = PortPool("127.0.0.1", 0, 0, clock=float).take()
    own = pair.rtp.getsockname()
    assert pair.send(b"rtcp", own, rtcp=True)
    assert pair.rtp.recvfrom(9) == (b"rtcp", pair.rtcp.getsockname())
    assert not pair.send(b"rtp", ("127.0.0.1", 65536))
    pair.close()
    assert not pair.send(b"rtp", own)
