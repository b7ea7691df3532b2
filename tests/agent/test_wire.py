import asyncio

import pytest

from opensip.agent.wire import Wire
from opensip.errors import ProviderError, TransportFailed
from tests.fakes.virtual_time_loop import VirtualTimeLoop


class Cable:
    """A connection that takes what is sent, until it is cut."""

    def __init__(self):
        self.sent, self.closed, self.is_cut = [], 0, False

    async def send(self, message):
        if self.is_cut:
            raise TransportFailed("gone")
        self.sent.append(message)

    async def close(self):
        self.closed += 1


def run(work):
    async def main():
        cables = []

        async def connect():
            await asyncio.sleep(1)
            cables.append(Cable())
            return cables[-1]

        await work(Wire("bot", connect, Cable.send), cables)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())


def test_it_is_opened_once_for_all_and_sends_what_is_put_after_its_beginning():
    async def work(wire, cables):
        wire.put("too early")
        await asyncio.gather(wire.open(), wire.begin())
        wire.put("a")
        wire.put("b")
        await wire.close()
        wire.put("too late")
        assert [(cable.sent, cable.closed) for cable in cables] == [(["a", "b"], 1)]
        assert (wire.connection, wire.has_begun) == (None, False)

    run(work)


def test_what_was_lost_is_closed_and_a_new_beginning_forgets_it():
    async def work(wire, cables):
        await wire.begin()
        cables[0].is_cut = True
        wire.put("a")
        await asyncio.sleep(0.1)
        assert (str(wire.error), cables[0].closed) == ("bot: gone", 1)
        await wire.close()
        await wire.begin()
        assert (wire.error, len(cables)) == (None, 2)
        await wire.close()

    run(work)


def test_who_closes_while_it_is_opened_leaves_nothing():
    async def work(wire, cables):
        beginning = asyncio.create_task(wire.begin())
        await asyncio.sleep(0.5)
        await wire.close()
        with pytest.raises((ProviderError, asyncio.CancelledError)):
            await beginning
        assert cables == []

    run(work)
