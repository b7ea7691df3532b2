import asyncio

import structlog

from opensip.ua.background import Background
from tests.fakes.sip_link import run


def test_what_runs_is_stopped_and_what_fails_is_logged():
    async def main():
        background, done = Background(), []

        async def work(seconds):
            await asyncio.sleep(seconds)
            done.append(seconds)

        async def fail():
            raise ZeroDivisionError

        background.spawn(work(1))
        background.spawn(work(100))
        background.spawn(fail())
        await asyncio.sleep(2)
        assert (done, len(background)) == ([1], 1)
        await background.close()
        assert (done, len(background)) == ([1], 0)

    with structlog.testing.capture_logs() as logs:
        run(main)
    assert [line["event"] for line in logs] == ["work_failed"]
