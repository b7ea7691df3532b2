"""What checks the signatures of callers' numbers, made from settings and anew after a reload."""

import time
from collections.abc import Callable

from opensip.errors import TransportFailed
from opensip.net.certificate_cache import CertificateCache
from opensip.net.dns import Dns
from opensip.net.guarded_https import GuardedHttps, Page
from opensip.net.sti import anchors
from opensip.settings import build
from opensip.settings.schema import ServerTable
from opensip.ua.verification import Verifier

# For one certificate. Longer than a caller waits: who calls next finds it there.
FETCH_SECONDS = 5.0


class IdentityCheck:
    """Makes verifiers. What was fetched stays over a reload; `now` is a monotonic clock."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._https: GuardedHttps | None = None
        self._cache = CertificateCache(self._get, seconds=FETCH_SECONDS, now=now)

    def verifier(self, server: ServerTable) -> Verifier | None:
        """Make what `[identity]` asks for, None where it names no roots. Raises ConfigError."""
        table = server.identity
        if table.anchors is None:
            self._https = None
            return None
        roots = anchors(table.anchors)
        lookup = Dns(server.sip.name_servers).addresses
        self._https = GuardedHttps(build.https_rules(table), lookup)
        return Verifier(roots, self.fetch, wall=time.time)

    async def fetch(self, url: str) -> bytes:
        """Give the certificates at `url`, or raise TransportFailed."""
        return await self._cache.fetch(url)

    async def close(self) -> None:
        """Stop what is still being fetched."""
        await self._cache.close()

    async def _get(self, url: str) -> Page:
        if self._https is None:
            raise TransportFailed("no roots are configured any more")
        return await self._https.get(url)
