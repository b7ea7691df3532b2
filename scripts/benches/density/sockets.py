"""Two clients of WebSockets over TLS: aiohttp's, and a bare one that shows the floor.

Both give what comes to `took`, and send without waiting. The bare one frames its messages by hand
(RFC 6455 section 5.2) and knows no pings, no fragments and no goodbyes: it has one kind of server.
Its masking key is zero, which leaves the octets as they are.
"""

import asyncio
import ssl
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Protocol

Message = str | bytes
Took = Callable[[Message], None]
HOST = "127.0.0.1"
_TEXT, _BINARY = 0x81, 0x82
_MASKED = 0x80
_UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: b3BlbnNpcCBiZW5jaCBrZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Line(Protocol):
    """An open WebSocket, or one that is being opened."""

    def send(self, message: Message) -> None:
        """Send a message."""

    def close(self) -> None:
        """Let it go."""


Connect = Callable[[str, Took], Line]  # path, who takes what comes


@cache
def trust(folder: Path) -> ssl.SSLContext:
    """Trust the bench's own authority."""
    return ssl.create_default_context(cafile=str(folder / "ca.pem"))


class AiohttpLine:
    """A WebSocket of aiohttp."""

    _session = None  # one for all lines

    def __init__(self, url: str, context: ssl.SSLContext, took: Took) -> None:
        self._took = took
        self._waiting: asyncio.Queue[Message] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(url, context))

    def send(self, message: Message) -> None:
        """Send a message, as soon as the line is open."""
        self._waiting.put_nowait(message)

    def close(self) -> None:
        """Let it go."""
        self._task.cancel()

    async def _run(self, url: str, context: ssl.SSLContext) -> None:
        import aiohttp  # noqa: PLC0415 - of the bench alone, and of this client

        if AiohttpLine._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            AiohttpLine._session = aiohttp.ClientSession(connector=connector)
        async with AiohttpLine._session.ws_connect(url, ssl=context) as socket:
            sending = asyncio.create_task(self._send(socket))
            try:
                async for message in socket:
                    self._took(message.data)
            finally:
                sending.cancel()

    async def _send(self, socket) -> None:
        while True:
            message = await self._waiting.get()
            if isinstance(message, str):
                await socket.send_str(message)
            else:
                await socket.send_bytes(message)


class BareLine(asyncio.Protocol):
    """A WebSocket framed by hand."""

    def __init__(self, port: int, path: str, context: ssl.SSLContext, took: Took) -> None:
        self._took, self._port, self._path = took, port, path
        self._transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._buffer = bytearray()
        self._upgraded = False
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(loop.create_connection(lambda: self, HOST, port, ssl=context))

    def send(self, message: Message) -> None:
        """Send a message, as soon as the line is open."""
        payload = message.encode() if isinstance(message, str) else message
        kind = _TEXT if isinstance(message, str) else _BINARY
        size = len(payload)
        length = bytes([_MASKED | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        frame = b"".join((bytes([kind]), length, bytes(4), payload))
        if self._upgraded and self._transport:
            self._transport.write(frame)
        else:
            self._waiting.append(frame)

    def close(self) -> None:
        """Let it go."""
        self._task.cancel()
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport) -> None:
        """Ask for a WebSocket."""
        self._transport = transport
        asked = _UPGRADE.format(path=self._path, host=HOST, port=self._port)
        transport.write(asked.encode())

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._buffer += data
        if not self._upgraded:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(f"no WebSocket: {bytes(head[:80])!r}")
            self._upgraded, self._buffer = True, rest
            self._transport.write(b"".join(self._waiting))
        self._unframe()

    def _unframe(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            size, begin = buffer[at + 1], at + 2
            if size == 126:
                size, begin = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            if len(buffer) < begin + size:
                break
            payload = bytes(buffer[begin : begin + size])
            kind, at = buffer[at], begin + size
            if kind in (_TEXT, _BINARY):
                self._took(payload.decode() if kind == _TEXT else payload)
        del buffer[:at]


def connector(client: str, port: int, folder: Path) -> Connect:
    """Give what opens lines of a client: aiohttp or bare."""
    context = trust(folder)
    if client == "aiohttp":
        return lambda path, took: AiohttpLine(f"wss://{HOST}:{port}{path}", context, took)
    return lambda path, took: BareLine(port, path, context, took)
