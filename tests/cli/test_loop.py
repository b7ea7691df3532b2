import asyncio
import sys

from opensip.cli.loop import fastest_loop


def test_asyncios_own_loop_does_where_the_extra_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    loop = fastest_loop()
    assert isinstance(loop, asyncio.SelectorEventLoop)
    loop.close()
