import asyncio

from opensip.agent.outbox import LAST, MOST, Outbox
from opensip.errors import TransportFailed
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


class Wire:
    def __init__(self, *, delay=0.0, fails=False):
        self.sent, self.lost = [], []
        self._delay, self._fails = delay, fails

    async def send(self, message):
        await asyncio.sleep(self._delay)
        if self._fails:
            raise TransportFailed("gone")
        self.sent.append(message)


def test_sends_in_order_and_what_waits_at_the_end():
    async def main():
        wire = Wire(delay=0.01)
        outbox = Outbox("bot", wire.send, wire.lost.append)
        for n in range(5):
            outbox.put(n)
        await outbox.close()
        await outbox.close()
        outbox.put(9)
        return wire

    wire = run(main)
    assert (wire.sent, wire.lost) == ([0, 1, 2, 3, 4], [])


def test_waits_no_longer_than_so_at_the_end():
    async def main():
        wire = Wire(delay=60)
        outbox = Outbox("bot", wire.send, wire.lost.append)
        outbox.put(1)
        outbox.put(2)
        await asyncio.sleep(1)
        before = asyncio.get_running_loop().time()
        await outbox.close()
        return asyncio.get_running_loop().time() - before

    assert abs(run(main) - LAST) < 0.01


def test_tells_once_that_all_is_lost():
    async def main(wire, many):
        outbox = Outbox("bot", wire.send, wire.lost.append)
        for n in range(many):
            outbox.put(n)
        await asyncio.sleep(1)
        outbox.put("more")
        await outbox.close()
        return [str(error) for error in wire.lost]

    assert run(lambda: main(Wire(fails=True), 2)) == ["bot: gone"]
    behind = run(lambda: main(Wire(delay=60), MOST + 3))
    assert behind == [f"bot: it is {MOST} messages behind"]
