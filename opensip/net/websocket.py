"""WebSockets that we open: bounded in size and in time. The one door to websockets."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as _connect
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.frames import CloseCode
from websockets.protocol import State

from opensip.errors import TransportFailed

LARGEST_MESSAGE = 2_000_000  # octets: beyond what media_streams reads, that it may say so
_AHEAD = 64  # messages that are read ahead of us: then TCP lets the peer wait
_GOODBYE = 1.0  # seconds for the closing handshake: nobody waits for a dead peer


class WebSocket:
    """An open WebSocket of text messages."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @property
    def is_open(self) -> bool:
        """Whether neither side has begun to close it."""
        return self._connection.state is State.OPEN

    async def send(self, message: str) -> None:
        """Send a text; for nothing to a peer that said goodbye, as `receive` tells.

        Raises TransportFailed where the peer has gone without.
        """
        try:
            await self._connection.send(message)
        except ConnectionClosedOK:
            return
        except ConnectionClosed as error:
            raise TransportFailed(f"the WebSocket is closed: {error}") from error

    async def receive(self) -> str | None:
        """Wait for the next text; None once the peer has closed it properly.

        Raises TransportFailed where it was lost, the peer ends (1001: RFC 6455 section 7.4.1) or
        a message was too large. Binary messages are left out: neither carriers nor bots send any.
        """
        try:
            while True:
                message = await self._connection.recv()
                if isinstance(message, str):
                    return message
        except ConnectionClosedOK as error:
            if error.rcvd and error.rcvd.code == CloseCode.GOING_AWAY:
                raise TransportFailed(f"the WebSocket was lost: {error}") from error
            return None
        except ConnectionClosed as error:
            raise TransportFailed(f"the WebSocket was lost: {error}") from error

    async def close(self) -> None:
        """Say goodbye, and close; may be called again."""
        await self._connection.close()


async def connect(
    url: str, *, seconds: float, headers: Mapping[str, str] | None = None
) -> WebSocket:
    """Open a WebSocket to a ws: or wss: URL within `seconds`. Raises TransportFailed."""
    place = without_password(url)
    try:
        async with asyncio.timeout(seconds):
            connection = await _connect(
                url,
                additional_headers=headers,
                user_agent_header=None,
                open_timeout=None,
                close_timeout=_GOODBYE,
                max_size=LARGEST_MESSAGE,
                max_queue=_AHEAD,
                compression=None,  # it costs time, and base64 of speech hardly shrinks
                proxy=None,
            )
    except TimeoutError as error:
        raise TransportFailed(f"{place}: no WebSocket within {seconds:g} s") from error
    except ValueError as error:  # it quotes what is wrong, which may be a password
        raise TransportFailed(f"{place}: is no URL, or a header is none") from error
    except (WebSocketException, OSError) as error:
        raise failed(error, place) from error
    return WebSocket(connection)


def without_password(url: str) -> str:
    """Give a URL as it can stand in a log: user, password and query left out."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError where it is none
    except ValueError:  # its host is none; who knows what stands where
        return "(no URL)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def failed(error: Exception, place: str) -> TransportFailed:
    """Tell what an error means that was met at `place`, ours or of whoever uses websockets."""
    match error:
        case InvalidStatus(response=response):
            text = f"refused the WebSocket with status {response.status_code}"
        case InvalidURI(msg=why):  # its own text holds the URL, with user and query
            text = f"is no URL of a WebSocket: {why}"
        case ConnectionClosed():
            text = f"the WebSocket was lost: {error}"
        case ConnectionRefusedError():
            text = "nobody listens there: is it running, and on that port?"
        case _:
            text = str(error) or type(error).__name__
    return TransportFailed(f"{place}: {text}")
