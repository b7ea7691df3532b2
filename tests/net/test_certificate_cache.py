import asyncio

import pytest

from opensip.errors import TransportFailed
from opensip.net import certificate_cache as c
from opensip.net.certificate_cache import CertificateCache
from opensip.net.guarded_https import Page
from tests.fakes.virtual_time_loop import VirtualTimeLoop

URL = "https://certs.example/a.pem"


class Pages:
    """Gives pages after `delay` seconds, and keeps what was asked for."""

    def __init__(self, page=None, *, delay=0.0):
        self.page = page or Page(b"chain")
        self.delay = delay
        self.asked = []

    async def get(self, url):
        self.asked.append(url)
        await asyncio.sleep(self.delay)
        if isinstance(self.page, Exception):
            raise self.page
        return self.page


def run(pages, story, *, seconds=5.0):
    async def main():
        loop = asyncio.get_running_loop()
        cache = CertificateCache(pages.get, seconds=seconds, now=loop.time)
        try:
            return await story(cache)
        finally:
            await cache.close()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


@pytest.mark.parametrize(
    ("max_age", "kept"),
    [(None, c.USUAL), (0, c.SHORTEST), (600, 600), (10**9, c.LONGEST)],
)
def test_it_is_kept_as_long_as_its_server_says_within_bounds(max_age, kept):
    pages = Pages(Page(b"chain", max_age))

    async def story(cache):
        assert await cache.fetch(URL) == b"chain"
        await asyncio.sleep(kept - 0.1)
        await cache.fetch(URL)
        assert len(pages.asked) == 1
        await asyncio.sleep(0.1)
        await cache.fetch(URL)
        assert len(pages.asked) == 2

    run(pages, story)


def test_that_it_cannot_be_had_is_kept_for_a_while_too():
    pages = Pages(TransportFailed("refused"))

    async def story(cache):
        for _ in range(3):
            with pytest.raises(TransportFailed, match="refused"):
                await cache.fetch(URL)
        assert len(pages.asked) == 1
        pages.page = Page(b"chain")
        await asyncio.sleep(c.FAILED)
        assert await cache.fetch(URL) == b"chain"

    run(pages, story)


def test_a_slow_server_is_waited_for_no_longer_than_that():
    pages = Pages(delay=60)

    async def story(cache):
        with pytest.raises(TransportFailed, match="nothing came within 5 s"):
            await cache.fetch(URL)
        return asyncio.get_running_loop().time()

    assert run(pages, story) == pytest.approx(5.0)


def test_several_who_ask_share_a_fetch():
    pages = Pages(delay=1)

    async def story(cache):
        return await asyncio.gather(*(cache.fetch(URL) for _ in range(20)))

    assert run(pages, story) == [b"chain"] * 20
    assert len(pages.asked) == 1


def test_a_fetch_runs_on_when_nobody_waits_any_more():
    pages = Pages(delay=3)

    async def story(cache):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(cache.fetch(URL), 2)
        await asyncio.sleep(2)
        assert await cache.fetch(URL) == b"chain"
        return asyncio.get_running_loop().time()

    assert run(pages, story) == pytest.approx(4.0)
    assert len(pages.asked) == 1


def test_a_flood_of_addresses_does_not_take_all_sockets():
    pages = Pages(delay=1)

    async def story(cache):
        fetches = [cache.fetch(f"{URL}?{n}") for n in range(c.AT_ONCE + 3)]
        found = await asyncio.gather(*fetches, return_exceptions=True)
        assert [type(one) for one in found[c.AT_ONCE :]] == [TransportFailed] * 3
        assert found[: c.AT_ONCE] == [b"chain"] * c.AT_ONCE

    run(pages, story)


def test_the_oldest_go_where_there_are_too_many():
    pages = Pages()

    async def story(cache):
        for n in range(c.KEPT + 1):
            await cache.fetch(f"{URL}?{n}")
        await cache.fetch(f"{URL}?1")
        assert len(pages.asked) == c.KEPT + 1
        await cache.fetch(f"{URL}?0")
        assert len(pages.asked) == c.KEPT + 2

    run(pages, story)


def test_closing_ends_what_is_being_fetched():
    pages = Pages(delay=60)

    async def story(cache):
        waiting = asyncio.ensure_future(cache.fetch(URL))
        await asyncio.sleep(0.1)
        await cache.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return asyncio.get_running_loop().time()

    assert run(pages, story) == pytest.approx(0.1)
