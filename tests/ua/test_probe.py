import asyncio

import pytest

from opensip.sip.uri import Uri
from opensip.ua.probe import Probe, ProbeConfig
from opensip.ua.ways import Destination
from tests.fakes.scene import scene

TRUNK = Uri.parse("sip:trunk@127.0.0.9:5060")


def probing(check):
    async def main(it):
        core = it.us.core
        probe = Probe(core, ProbeConfig(TRUNK, Destination(TRUNK), 60.0), find_ways=core.ways)
        running = asyncio.create_task(probe.run())
        await check(it, probe)
        running.cancel()

    scene(main)


@pytest.mark.parametrize(
    ("status", "state"), [(200, "up"), (404, "up"), (405, "up"), (503, "down"), (408, "down")]
)
def test_state_follows_the_answer(status, state):
    async def check(it, probe):
        request = await it.peer.get()
        assert (request.method, str(request.uri)) == ("OPTIONS", str(TRUNK))
        assert probe.status()["state"] == "unknown"
        it.answer(request, status, contact=False)
        await asyncio.sleep(0.1)
        told = probe.status()
        assert told["state"] == state
        assert told["said"].startswith(f"{status} ")
        assert told["said"].endswith("from UDP 127.0.0.9:5060")
        assert told["milliseconds"] == 20

    probing(check)


def test_asks_again_and_again():
    async def check(it, probe):
        it.answer(await it.peer.get(), 200)
        before = asyncio.get_running_loop().time()
        it.answer(await it.peer.get(), 200)
        assert asyncio.get_running_loop().time() - before == pytest.approx(60, abs=0.1)
        await asyncio.sleep(5)
        assert probe.status()["seconds_ago"] == 5
        assert probe.status()["seconds_in_state"] == 65

    probing(check)


def test_no_answer_is_down():
    async def check(it, probe):
        await asyncio.sleep(33)
        assert probe.status()["state"] == "down"
        assert "no answer to OPTIONS" in probe.status()["said"]

    probing(check)
