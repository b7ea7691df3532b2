import asyncio

import pytest

from opensip.agent.once import Once


def test_is_done_once_for_all_who_wait_and_outlives_who_gives_up():
    async def main():
        begun, go = [], asyncio.Event()

        async def work():
            begun.append(1)
            await go.wait()

        once = Once(work)
        first, second = (asyncio.create_task(once.done()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        go.set()
        await second
        assert begun == [1]
        await once.close()

    asyncio.run(main())


def test_what_failed_is_begun_anew_and_what_is_closed_ends():
    async def main():
        ended = []

        async def work():
            try:
                if not ended:
                    raise ValueError("no")
                await asyncio.Event().wait()
            finally:
                ended.append(1)

        once = Once(work)
        with pytest.raises(ValueError, match="no"):
            await once.done()
        await asyncio.sleep(0)
        waiting = asyncio.create_task(once.done())
        await asyncio.sleep(0.01)
        await once.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert ended == [1, 1]

    asyncio.run(main())
