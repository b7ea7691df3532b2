import asyncio

from opensip.media.waiters import Waiters


def test_everybody_goes_on_at_the_next_sign_and_who_gave_up_is_no_matter():
    async def main():
        waiters = Waiters()
        waiters.wake()
        first, second = waiters.change(), waiters.change()
        second.cancel()
        assert not first.done()
        waiters.wake()
        later = waiters.change()
        return first.done(), later.done()

    assert asyncio.run(main()) == (True, False)
