import asyncio
import socket

import pytest

from opensip.media import resting_ports
from opensip.media.engine import StreamConfig
from opensip.media.ports import PortPool
from opensip.media.resting_ports import COOL_DOWN, LEAST_REST, MOST_HELD, RestingPorts
from tests.fakes.engines import each_engine
from tests.fakes.virtual_time_loop import VirtualTimeLoop


class Clock:
    """Seconds, and what is to be done later."""

    def __init__(self):
        self.now, self.due = 100.0, []

    def __call__(self):
        return self.now

    def later(self, seconds, act):
        self.due.append((self.now + seconds, act))

    def go_to(self, now):
        while self.due and self.due[0][0] <= now:
            self.now, act = self.due.pop(0)
            act()
        self.now = now


def bound(port=0):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setblocking(False)
    one.bind(("127.0.0.1", port))
    return one


def is_open(port):
    """Tell whether the system takes in silence what comes to a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.connect(("127.0.0.1", port))
        try:
            for _ in range(3):
                peer.send(bytes(172))
        except ConnectionRefusedError:
            return False
    return True


def test_a_port_stays_bound_and_deaf_for_thirty_seconds():
    clock = Clock()
    resting, one = RestingPorts(clock, clock.later), bound()
    port = one.getsockname()[1]
    for _ in range(20):
        one.sendto(b"late", one.getsockname())
    resting.add(port, (one,))
    with pytest.raises(BlockingIOError):
        one.recv(4)
    clock.go_to(129.9)
    assert resting.has(port)
    assert is_open(port)
    clock.go_to(130.0)
    assert not resting.has(port)
    assert not is_open(port)
    assert (one.fileno(), clock.due) == (-1, [])


def test_what_comes_meanwhile_takes_no_memory_to_speak_of():
    clock, one = Clock(), bound()
    resting, address = RestingPorts(clock, clock.later), one.getsockname()
    resting.add(address[1], (one,))
    for _ in range(500):
        one.sendto(bytes(1000), address)
    kept = 0
    while kept < 500:
        try:
            kept += bool(one.recv(1000))
        except BlockingIOError:
            break
    assert kept < 10
    resting.unbind()


def test_no_more_stay_bound_than_may_and_the_newest_do(monkeypatch):
    assert MOST_HELD == 250
    monkeypatch.setattr(resting_ports, "MOST_HELD", 2)
    clock = Clock()
    resting, sockets = RestingPorts(clock, clock.later), [bound() for _ in range(3)]
    for port, one in enumerate(sockets):
        resting.add(port, (one,))
    assert [one.fileno() >= 0 for one in sockets] == [False, True, True]
    assert all(resting.has(port) for port in range(3))
    assert resting.unbind() == 2
    assert resting.unbind() == 0


def test_without_a_timer_they_rest_unbound():
    clock = Clock()
    resting, one = RestingPorts(clock), bound()
    resting.add(5, (one,))
    assert one.fileno() == -1
    assert resting.has(5)


def test_only_what_has_rested_a_while_is_given_out_early():
    clock = Clock()
    resting, one = RestingPorts(clock, clock.later), bound()
    assert resting.wake_oldest() is None
    resting.add(5, (one,))
    clock.now += LEAST_REST - 0.1
    assert resting.wake_oldest() is None
    clock.now += 0.1
    assert resting.wake_oldest() == 5
    assert one.fileno() == -1
    assert not resting.has(5)


@each_engine
def test_a_late_packet_of_a_call_that_is_over_is_answered_by_nobody(engine_type):
    async def main():
        loop = asyncio.get_running_loop()
        pool = PortPool("127.0.0.1", 0, 0, clock=loop.time, later=loop.call_later)
        engine, pair, peer = engine_type(loop), pool.take(), bound()
        port = pair.address[1]
        stream = engine.open(pair, StreamConfig(remote=peer.getsockname()))
        await asyncio.sleep(0.1)
        for sequence in range(3):  # so that it is clear who the peer is
            peer.sendto(b"\x80\x00" + sequence.to_bytes(2, "big") + bytes(168), pair.address)
        await asyncio.sleep(0.1)
        assert stream.statistics()["received"] == 3
        stream.close()
        for _ in range(2):
            assert [is_open(one) for one in (port, port + 1)] == [True, True]
            await asyncio.sleep(COOL_DOWN / 2 - 1)
        await asyncio.sleep(3)
        assert [is_open(one) for one in (port, port + 1)] == [False, False]
        assert pool.in_use == 0
        peer.close()
        engine.close()
        pool.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())
