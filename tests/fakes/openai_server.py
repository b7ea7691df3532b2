"""A server that speaks as OpenAI's does: HTTP/1.1 with kept connections, SSE, chunks. By hand."""

import asyncio
import contextlib
import email
import email.policy
import io
import itertools
import json
import wave
from dataclasses import dataclass, field

import numpy as np

from opensip.audio.tones import tone

RATE = 24000
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Ask:
    """A tool that the model asks for; `arguments` may be text that is no JSON.

    `status` is that of the item: "incomplete" where the answer was cut off in it.
    """

    name: str
    arguments: dict | str = field(default_factory=dict)
    status: str = "completed"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request: a status, or a kind: see where it is asked for."""

    kind: str = ""
    status: int = 0
    headers: tuple = ()
    body: str = '{"error": {"message": "no", "type": "fake"}}'


class OpenAiServer:
    """Answers chat, transcription and speech; remembers each request.

    `brain(messages, tools)` gives words and Asks; `ears(samples, rate)` a text; `voice(text)`
    samples at 24 kHz. `faults` holds, by the last part of the path, what the next requests meet.
    """

    def __init__(self, brain=None, ears=None, voice=None, *, delay=0.0):
        self.brain = brain or (lambda messages, tools: ["I see. "])
        self.ears = ears or (lambda samples, rate: "hello")
        self.voice = voice or (lambda text: tone(400, 0.3, RATE))
        self.delay = delay  # before the first word and the first sound
        self.faults = {}
        self.requests = []
        self.connections = 0
        self.gone = 0  # answers whose reader went away
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        # a port may come twice in a process, and services are remembered by their address
        self.base_url = f"http://127.0.0.1:{self.port}/{next(_NUMBERS)}/v1"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def asked(self, path):
        return [body for at, _, body in self.requests if at.endswith(path)]

    async def _connected(self, reader, writer):
        self.connections += 1
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while await self._serve(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone += 1
        except asyncio.CancelledError:  # the server ends: asyncio's streams log a cancelled task
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        first, _, rest = head.decode().partition("\r\n")
        headers = {k.lower(): v for k, v in email.message_from_string(rest).items()}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        path = first.split()[1]
        parsed = _parsed(headers, body)
        self.requests.append((path, headers, parsed))
        name = path.rpartition("/")[2]
        waiting = self.faults.get(name)
        fault = waiting.pop(0) if waiting else Fault()
        if fault.status:
            _plain(writer, fault.status, fault.body.encode(), extra=fault.headers)
        elif fault.kind == "hang":
            await asyncio.sleep(3600)
        elif fault.kind == "reset":
            writer.transport.abort()
            return False
        elif fault.kind in ("html", "empty"):
            page = b"<html>It works!</html>" if fault.kind == "html" else b""
            _plain(writer, 200, page, kind="text/html" if page else "application/octet-stream")
        else:
            answer = getattr(self, f"_{name}", None)
            if answer is None:
                _plain(writer, 404, b'{"error": {"message": "no such path"}}')
            else:
                await answer(writer, parsed, fault.kind)
        if fault.kind == "drop":
            return False
        await writer.drain()
        return True

    async def _models(self, writer, body, fault):
        _plain(writer, 200, b'{"object": "list", "data": []}')

    async def _completions(self, writer, body, fault):
        await asyncio.sleep(self.delay)
        _begin(writer, "text/event-stream")
        if fault == "half":
            _chunk(writer, b'data: {"id": "x", "choices": [{"del\n\n')
        while fault == "thinks":
            _event(writer, _delta({"role": "assistant", "reasoning_content": "Hm. "}))
            await writer.drain()
            await asyncio.sleep(0.01)
        given = self.brain(body["messages"], body.get("tools", []))
        asks = [one for one in given if isinstance(one, Ask)]
        for words in (one for one in given if isinstance(one, str)):
            for word in words.split(" "):
                _event(writer, _delta({"content": f"{word} "}))
                await writer.drain()
                await asyncio.sleep(3600 if fault == "drip" else 0)
            if fault == "drop":
                writer.transport.abort()
                return
        for index, ask in enumerate(asks):
            text = ask.arguments if isinstance(ask.arguments, str) else json.dumps(ask.arguments)
            call = {"index": index, "id": f"call_{len(self.requests)}_{index}", "type": "function"}
            call["function"] = {"name": ask.name, "arguments": ""}
            _event(writer, _delta({"tool_calls": [call]}))
            for part in (text[:7], text[7:]):
                call = {"index": index, "function": {"arguments": part}}
                _event(writer, _delta({"tool_calls": [call]}))
        cut = any(ask.status == "incomplete" for ask in asks)
        _event(writer, _delta({}, "length" if cut else "tool_calls" if asks else "stop"))
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        _event(writer, _delta(None) | {"choices": [], "usage": usage})
        _chunk(writer, b"data: [DONE]\n\n")
        _chunk(writer, b"")

    async def _responses(self, writer, body, fault):
        await asyncio.sleep(self.delay)
        _begin(writer, "text/event-stream")
        if fault == "half":
            _chunk(writer, b'event: response.output_text.delta\ndata: {"type": "resp\n\n')
        numbers = itertools.count()

        def event(kind, **more):
            told = {"type": kind, "sequence_number": next(numbers)} | more
            _chunk(writer, f"event: {kind}\ndata: {json.dumps(told)}\n\n".encode())

        response = {"id": "r1", "object": "response", "created_at": 1, "model": "fake-1",
                    "output": [], "tools": [], "tool_choice": "auto", "error": None,
                    "parallel_tool_calls": True, "status": "in_progress"}  # fmt: skip
        event("response.created", response=response)
        while fault == "thinks":
            event("response.in_progress", response=response)
            await writer.drain()
            await asyncio.sleep(0.01)
        if fault == "failed":
            wrong = {"code": "server_error", "message": "the model fell over"}
            event("response.failed", response=response | {"status": "failed", "error": wrong})
            _chunk(writer, b"")
            return
        for index, one in enumerate(self.brain(body["input"], body.get("tools", []))):
            if isinstance(one, Ask):
                text = (
                    one.arguments if isinstance(one.arguments, str) else json.dumps(one.arguments)
                )
                item = {"type": "function_call", "id": f"f{index}", "call_id": f"call_{index}",
                        "name": one.name, "arguments": text, "status": one.status}  # fmt: skip
                event("response.output_item.done", output_index=index, item=item)
                continue
            for word in one.split(" "):
                event("response.output_text.delta", item_id="m", output_index=index,
                      content_index=0, delta=f"{word} ", logprobs=[])  # fmt: skip
        if fault == "drop":
            writer.transport.abort()
            return
        usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10,
                 "input_tokens_details": {"cached_tokens": 0},
                 "output_tokens_details": {"reasoning_tokens": 0}}  # fmt: skip
        if fault != "unfinished":
            done = response | {"status": "completed", "usage": usage}
            event("response.completed", response=done)
        _chunk(writer, b"")

    async def _transcriptions(self, writer, body, fault):
        await asyncio.sleep(self.delay)
        with wave.open(io.BytesIO(body["file"])) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            text = self.ears(samples, file.getframerate())
        if fault == "drip":
            await asyncio.sleep(3600)
        if body.get("stream") == "true":
            _begin(writer, "text/event-stream")
            for word in text.split():
                _event(writer, {"type": "transcript.text.delta", "delta": f"{word} "})
            if fault != "drop":
                _event(writer, {"type": "transcript.text.done", "text": text})
            _chunk(writer, b"")
        elif fault == "half":
            _plain(writer, 200, b'{"text": "he')
        elif fault == "drop":
            writer.transport.abort()
        else:
            _plain(writer, 200, json.dumps({"text": text}).encode())

    async def _speech(self, writer, body, fault):
        await asyncio.sleep(self.delay)
        samples = self.voice(body["input"])
        data = (samples * (fault != "silence")).astype("<i2").tobytes()
        if fault == "half":
            _plain(writer, 200, b'{"error": ')
            return
        _begin(writer, "audio/pcm")
        for start in range(0, len(data), 4801):  # an odd number: samples are cut in two
            _chunk(writer, data[start : start + 4801])
            await writer.drain()
            if fault == "drop":
                writer.transport.abort()
                return
            if fault == "drip":
                await asyncio.sleep(3600)
        _chunk(writer, b"")


def _parsed(headers, body):
    kind = headers.get("content-type", "")
    if kind.startswith("multipart/"):
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts()
        return {
            part.get_param("name", header="content-disposition"): (
                part.get_payload(decode=True) if part.get_filename()
                else part.get_payload(decode=True).decode()
            )
            for part in parts
        }  # fmt: skip
    return json.loads(body) if body else {}


def _delta(delta, finish=None):
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "fake-1",
            "choices": choices}  # fmt: skip


def _plain(writer, status, body, *, extra=(), kind="application/json"):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"Content-Type: {kind}", *(f"{k}: {v}" for k, v in extra)]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)


def _begin(writer, kind):
    writer.write(
        f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )


def _chunk(writer, data):
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def _event(writer, event):
    _chunk(writer, f"data: {json.dumps(event)}\n\n".encode())
