"""A bot behind a WebSocket, written for Twilio or Bandwidth, or one that goes wrong."""

import asyncio
import json

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


class Bot:
    """Serves on 127.0.0.1. `talk(bot)` is run for each call; `messages` holds what came."""

    def __init__(self, talk=None, *, refuse=0, hang=False):
        self._talk = talk or Bot.listen
        self._refuse, self._hang = refuse, hang
        self.messages = []
        self.headers = []
        self.calls = 0
        self.closed = asyncio.Event()
        self._new = asyncio.Event()
        self._end = asyncio.Event()
        self._talks = set()

    async def __aenter__(self):
        self._server = await serve(self._connected, "127.0.0.1", 0, process_request=self._request)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/media"
        return self

    async def __aexit__(self, *_):
        self._end.set()
        for talk in self._talks:
            talk.cancel()
        self._server.close()
        await self._server.wait_closed()

    async def _request(self, connection, request):
        self.headers.append(request.headers)
        if self._hang:
            await self._end.wait()
        return connection.respond(self._refuse, "no\n") if self._refuse else None

    async def _connected(self, socket):
        self.calls += 1
        self.socket = socket
        self._talks.add(asyncio.current_task())
        reading = asyncio.create_task(self._read(socket))
        try:
            await self._talk(self)
        except (ConnectionClosed, asyncio.CancelledError):
            socket.transport.abort()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            self.closed.set()

    async def _read(self, socket):
        try:
            async for message in socket:
                self.messages.append(json.loads(message))
                self._new.set()
        except ConnectionClosed:
            pass

    async def listen(self):
        await self.socket.wait_closed()

    async def got(self, fits):
        """Wait for a message that fits."""
        while True:
            found = [message for message in self.messages if fits(message)]
            if found:
                return found[0]
            self._new.clear()
            await self._new.wait()

    async def send(self, message):
        await self.socket.send(message if isinstance(message, str) else json.dumps(message))

    def of(self, kind):
        return [m for m in self.messages if kind in (m.get("event"), m.get("eventType"))]
