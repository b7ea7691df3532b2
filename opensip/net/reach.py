"""Whether somebody takes connections where a URL points: a socket that is opened and closed."""

import asyncio
import ssl
from contextlib import suppress
from functools import cache
from urllib.parse import urlsplit

from opensip.errors import TransportFailed
from opensip.net.websocket import without_password

_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_SECURE = ("https", "wss")


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()  # reads every root certificate: once is enough


async def reach(url: str, *, seconds: float) -> None:
    """Open a connection, with TLS where the URL wants it, and close it. Raises TransportFailed."""
    place = without_password(url)
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        secure = _context() if parts.scheme in _SECURE else None
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure)
    except (KeyError, ValueError) as error:
        raise TransportFailed(f"{place}: is no URL of a server") from error
    except TimeoutError as error:
        raise TransportFailed(f"{place}: no connection within {seconds:g} s") from error
    except OSError as error:
        raise TransportFailed(f"{place}: {error}") from error
    writer.close()
    with suppress(OSError):  # it was there; how it says goodbye does not matter
        await writer.wait_closed()
