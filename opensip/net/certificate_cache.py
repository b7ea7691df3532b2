"""Certificates by their URL: fetched once, kept for a while, and so is that they cannot be had."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from opensip.errors import TransportFailed
from opensip.net.guarded_https import Page

log = structlog.get_logger(__name__)

# Seconds that a certificate is kept: what its server says, within these bounds.
SHORTEST, USUAL, LONGEST = 60.0, 3600.0, 86_400.0
FAILED = 30.0  # seconds until one that could not be had is asked for again
KEPT = 512  # URLs; providers have a handful each
AT_ONCE = 8  # fetches; a flood of URLs must not take all sockets


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    body: bytes = b""
    error: str = ""


class CertificateCache:
    """Fetches by `get`, each within `seconds`; `now` is a monotonic clock in seconds.

    Several who ask for one URL share a fetch. It runs on when they have stopped waiting, so that
    the next call finds the certificate there.
    """

    def __init__(
        self, get: Callable[[str], Awaitable[Page]], *, seconds: float, now: Callable[[], float]
    ) -> None:
        self._get = get
        self._seconds = seconds
        self._now = now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._fetches: dict[str, asyncio.Task[_Kept]] = {}

    async def fetch(self, url: str) -> bytes:
        """Give what stands at `url`; raises TransportFailed that says why it cannot be had."""
        kept = self._kept.get(url)
        if kept is None or kept.until <= self._now():
            kept = await asyncio.shield(self._fetching(url))
        if kept.error:
            raise TransportFailed(kept.error)
        return kept.body

    async def close(self) -> None:
        """Stop what is still being fetched."""
        fetches = tuple(self._fetches.values())
        for task in fetches:
            task.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)

    def _fetching(self, url: str) -> asyncio.Task[_Kept]:
        if url not in self._fetches:
            if len(self._fetches) >= AT_ONCE:
                raise TransportFailed(f"{AT_ONCE} certificates are being fetched already")
            task = asyncio.get_running_loop().create_task(self._take(url))
            self._fetches[url] = task
            task.add_done_callback(lambda _: self._fetches.pop(url, None))
        return self._fetches[url]

    async def _take(self, url: str) -> _Kept:
        try:
            async with asyncio.timeout(self._seconds):
                page = await self._get(url)
            age = USUAL if page.max_age is None else float(page.max_age)
            kept = _Kept(self._now() + min(max(age, SHORTEST), LONGEST), page.body)
        except TimeoutError:
            kept = _Kept(self._now() + FAILED, error=f"nothing came within {self._seconds:g} s")
        except TransportFailed as error:
            kept = _Kept(self._now() + FAILED, error=str(error))
        if kept.error:
            log.warning("certificate_unavailable", url=url, why=kept.error)
        self._kept[url] = kept
        self._kept.move_to_end(url)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return kept
