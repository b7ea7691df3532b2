import asyncio

import pytest

from opensip.errors import TransactionTimeout, TransportFailed
from opensip.net.resolver import Resolver, Target
from opensip.sip.uri import Uri
from opensip.ua.probe import options
from opensip.ua.question import ask, ask_any
from opensip.ua.ways import Destination
from tests.fakes.scene import scene
from tests.fakes.sip_link import Peer

TRUNK = Uri.parse("sip:trunk.test")


class TwoTargets(Resolver):
    async def resolve(self, uri, *, server_name=""):
        return [Target("UDP", host, 5060, "x") for host in ("127.0.0.8", "127.0.0.9")]


def asking(check):
    async def main(it):
        core = it.us.core
        core._finder.resolver = TwoTargets()
        it.first = Peer(it.link, "127.0.0.8")
        ways = core.ways(Destination(TRUNK))
        it.asked = asyncio.create_task(ask_any(core, lambda flow: options(core, TRUNK, flow), ways))
        await check(it)

    scene(main)


def test_next_target_after_503():
    async def check(it):
        request = await it.first.get()
        it.first.send(it.first.answer(request, 100, contact=False), ("127.0.0.1", 5060))
        it.first.send(it.first.answer(request, 503, contact=False), ("127.0.0.1", 5060))
        it.answer(await it.peer.get(), 200)
        answer = await it.asked
        assert answer.response.status == 200
        assert answer.flow.remote == ("127.0.0.9", 5060)
        assert answer.seconds == pytest.approx(0.02)

    asking(check)


def test_next_target_after_time_out():
    async def check(it):
        it.answer(await it.peer.get(), 404, contact=False)
        assert (await it.asked).response.status == 404

    asking(check)


def test_503_of_the_last_one_is_the_answer():
    async def check(it):
        request = await it.first.get()
        it.first.send(it.first.answer(request, 503, contact=False), ("127.0.0.1", 5060))
        it.answer(await it.peer.get(), 503, contact=False)
        assert (await it.asked).response.status == 503

    asking(check)


def test_nobody_answers():
    async def check(it):
        with pytest.raises(TransactionTimeout):
            await it.asked

    asking(check)


def test_connection_lost_meanwhile():
    async def check(it):
        core = it.us.core
        flow = await core.flow_to(Uri.parse("sip:127.0.0.9:5060;transport=tcp"))
        asked = asyncio.create_task(ask(core, options(core, TRUNK, flow), flow))
        await it.peer.get()
        core._transport.break_flow(flow)
        with pytest.raises(TransportFailed, match="could not be delivered"):
            await asked

    scene(check, transport="TCP")
