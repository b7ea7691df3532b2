import asyncio

from opensip.sip.transaction import TransactionKey
from opensip.ua.unanswered import Unanswered
from tests.fakes.sip_link import run

ONE, OTHER = (TransactionKey("client", branch, "BYE", "") for branch in ("one", "other"))


def test_waits_for_the_last():
    async def main():
        unanswered = Unanswered()
        assert await unanswered.wait()
        assert asyncio.get_running_loop().time() == 0
        unanswered.add(ONE)
        unanswered.add(OTHER)
        asyncio.get_running_loop().call_later(1, unanswered.settle, ONE)
        asyncio.get_running_loop().call_later(1.5, unanswered.settle, OTHER)
        assert await unanswered.wait()
        assert asyncio.get_running_loop().time() == 1.5

    run(main)


def test_waits_no_longer_than_it_is_told():
    async def main():
        unanswered = Unanswered()
        unanswered.add(ONE)
        unanswered.settle(OTHER)
        assert not await unanswered.wait()
        assert asyncio.get_running_loop().time() == 2

    run(main)
