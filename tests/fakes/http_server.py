"""A small HTTP server by hand: it remembers requests and answers what it is told."""

import asyncio
import contextlib


class HttpServer:
    """Answers each request with `answer(method, path, headers, body)` -> (status, octets)."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda *_: (200, b"{}"))
        self.requests = []
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:  # the server ends: asyncio's streams log a cancelled task
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:]) if k}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            method, path, _ = head[0].split()
            self.requests.append((method, path, headers, body))
            answer = self.answer(method, path, headers, body)
            if answer is None:
                await reader.read()  # until the client has had enough
            else:
                status, data = answer
                lines = f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\nConnection: close"
                writer.write(f"{lines}\r\n\r\n".encode() + data)
                await writer.drain()
