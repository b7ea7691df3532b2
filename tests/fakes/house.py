"""A house that takes calls: its one trunk, its books, and a phone that calls it."""

import asyncio
from ipaddress import ip_network

import pytest

from opensip.call.inbound import InboundCalls
from opensip.carriers import Number, Trunk
from opensip.media.session import MediaConfig, MediaSession
from opensip.sip.uri import Uri
from opensip.ua.call_failed import CallFailed
from tests.fakes.agents import CALLER, endpoint
from tests.fakes.exchanges import exchange
from tests.fakes.media_engine import FakeEngine, FakePorts
from tests.fakes.sip_link import Link
from tests.fakes.virtual_time_loop import VirtualTimeLoop

TRUNK = Trunk(
    "local",
    networks=(ip_network("127.0.0.0/8"),),
    numbers={"+15553334444": Number("shop"), "echo": Number("echo")},
    headers=("X-Campaign",),
    silence_timeout=15.0,
    first_timeout=30.0,
)


class House:
    """A server and a caller on one link, under virtual time."""

    def __init__(self, data, trunk=TRUNK, *agents, max_calls=0, **more):
        loop = asyncio.get_running_loop()
        self.data = data
        self.exchange = exchange(data, *agents, **more)
        self.calls = InboundCalls(self.exchange, {trunk.name: trunk}, max_calls=max_calls)
        self.link = Link()
        self.server = endpoint(self.calls.receive, link=self.link, host="127.0.0.1", port=5060)
        self.calls.endpoint = self.server
        self.caller = endpoint(link=self.link, host="127.0.0.2", port=5060)
        self.media = MediaSession(FakeEngine(loop), FakePorts(port=30000), MediaConfig("127.0.0.2"))

    async def dial(self, user="+15553334444", negotiator=None, **more):
        await self.server.start()
        await self.caller.start()
        call = await self.caller.dial(
            Uri.parse(f"sip:{user}@127.0.0.1:5060"),
            from_=CALLER,
            negotiator=negotiator or self.media,
            **more,
        )
        return await call.wait_answered()

    async def refused(self, user="+15553334444", **more):
        with pytest.raises(CallFailed) as failed:
            await self.dial(user, **more)
        await asyncio.sleep(0.1)
        return failed.value

    async def close(self):
        await self.caller.close()
        await self.server.close()


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
