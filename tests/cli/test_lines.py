import asyncio
import io
import os
import sys
import threading

import pytest

from opensip.cli.lines import next_line


@pytest.fixture
def typed(monkeypatch):
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "wb", 0) as keys:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield keys
        keys.close()
        for thread in threading.enumerate():  # or it reads on from who has the number next
            if thread.name == "opensip-lines":
                thread.join()


def test_lines_come_one_by_one_until_the_end(typed):
    async def main():
        typed.write(b" where is my order \n\xff\n")
        assert await next_line() == "where is my order"
        assert await next_line() == "\ufffd"
        typed.close()
        assert await next_line() is None

    asyncio.run(main())


def test_who_gives_up_waits_for_no_line(typed):
    async def main():
        waiting = asyncio.create_task(next_line())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(main())  # it returns though nothing was typed
    typed.write(b"too late\n")


def test_what_is_no_file_is_read_at_once(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("hello\n"))
    assert asyncio.run(next_line()) == "hello"
    assert asyncio.run(next_line()) is None
