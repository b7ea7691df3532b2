"""A server that speaks as OpenAI's Realtime API does: G.711, turns by energy, answers in pieces."""

import asyncio
import base64
import contextlib
import http
import itertools
import json

import numpy as np
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from opensip.audio.codecs import G711
from opensip.audio.resample import resample
from tests.fakes.openai_server import RATE, Ask

LOUD = 500  # of 32768: below this nobody speaks
STOPPED = 0.3  # seconds of silence that end a turn
PIECE = 800  # samples of a piece of sound


class RealtimeServer:
    """`brain(messages, tools)`, `ears(samples, rate)` and `voice(text)` as of OpenAiServer.

    `refuse` is an HTTP status for the upgrade; `fault(server)` is run in place of a session.
    """

    def __init__(self, brain=None, ears=None, voice=None, *, refuse=0, fault=None, delay=0.0):
        self.brain = brain or (lambda messages, tools: ["I see."])
        self.ears = ears or (lambda samples, rate: "hello")
        self.voice = voice or (lambda text: np.full(RATE // 2, 3000, np.int16))
        self.refuse, self.fault, self.delay = refuse, fault, delay
        self.received = []  # every event
        self.paths = []
        self.headers = []
        self.messages = []
        self.truncated = []  # (item, ms)

    async def __aenter__(self):
        self._server = await serve(self._session, "127.0.0.1", 0, process_request=self._request)
        port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    def got(self, kind):
        return [event for event in self.received if event["type"] == kind]

    def _request(self, connection, request):
        self.paths.append(request.path)
        self.headers.append(request.headers)
        if self.refuse:
            return connection.respond(http.HTTPStatus(self.refuse), "no\n")
        return None

    async def _session(self, socket):
        self.socket, self._numbers = socket, itertools.count()
        self._turn, self._quiet, self._answer = None, 0, None
        self.session = {}
        with contextlib.suppress(ConnectionClosed):
            if self.fault:
                await self.fault(self)
                return
            await self.send("session.created", session={"type": "realtime"})
            async for message in socket:
                event = json.loads(message)
                self.received.append(event)
                take = getattr(self, "_" + event["type"].replace(".", "_"), None)
                if take:
                    await take(event)
        if self._answer:
            self._answer.cancel()

    async def send(self, kind, **more):
        await self.socket.send(
            json.dumps({"type": kind, "event_id": f"e{next(self._numbers)}"} | more)
        )

    async def error(self, code, message):
        told = {"type": "invalid_request_error", "code": code, "message": message}
        await self.send("error", error=told)

    # ---- what the client sends

    async def _session_update(self, event):
        self.session = event["session"]
        await self.send("session.updated", session=event["session"])

    async def _input_audio_buffer_append(self, event):
        octets = base64.b64decode(event["audio"])
        form = self.session["audio"]["input"]["format"]["type"].removeprefix("audio/")
        samples = (
            np.frombuffer(octets, "<i2") if form == "pcm" else G711[form.upper()].decode(octets)
        )
        self._rate = 24000 if form == "pcm" else 8000
        loud = np.abs(samples.astype(int)).max(initial=0) > LOUD
        if loud and self._turn is None:
            self._turn = []
            await self.send("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
            await self._interrupt()
        if self._turn is None:
            return
        self._turn.append(samples)
        self._quiet = 0 if loud else self._quiet + len(samples)
        if self._quiet >= STOPPED * self._rate:
            await self._turn_over()

    async def _turn_over(self):
        samples, self._turn, self._quiet = np.concatenate(self._turn), None, 0
        text = self.ears(samples, self._rate)
        await self.send("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=0)
        await self.send(
            "conversation.item.input_audio_transcription.completed", item_id="u",
            content_index=0, transcript=text, usage={"type": "duration", "seconds": 1},
        )  # fmt: skip
        self.messages.append({"role": "user", "content": text})
        self._respond()

    async def _conversation_item_create(self, event):
        item = event["item"]
        if item["type"] == "function_call_output":
            self.messages.append({"role": "tool", "content": item["output"]})
        else:
            text = " ".join(part["text"] for part in item["content"])
            self.messages.append({"role": item["role"], "content": text})

    async def _conversation_item_truncate(self, event):
        self.truncated.append((event["item_id"], event["audio_end_ms"]))

    async def _response_create(self, event):
        if self._answer and not self._answer.done():
            await self.error("conversation_already_has_active_response", "one is active")
        else:
            self._respond()

    # ---- answers

    def _respond(self):
        self._answer = asyncio.create_task(self._give())

    async def _interrupt(self):
        if self._answer and not self._answer.done():
            self._answer.cancel()
            await asyncio.gather(self._answer, return_exceptions=True)
            await self._done("cancelled")

    async def _give(self):
        await self.send("response.created", response=_response("in_progress"))
        await asyncio.sleep(self.delay)
        with contextlib.suppress(ConnectionClosed):
            for one in self.brain(self.messages, self.session.get("tools", [])):
                item = f"i{next(self._numbers)}"
                await (self._ask(item, one) if isinstance(one, Ask) else self._say(item, one))
            await self._done("completed")

    async def _ask(self, item, ask):
        text = ask.arguments if isinstance(ask.arguments, str) else json.dumps(ask.arguments)
        told = {"type": "function_call", "id": item, "call_id": f"c{item}", "name": ask.name,
                "arguments": text, "status": "completed"}  # fmt: skip
        await self.send("response.output_item.done", response_id="r", output_index=0, item=told)

    async def _say(self, item, text):
        place = {"response_id": "r", "item_id": item, "output_index": 0, "content_index": 0}
        await self.send("response.output_audio_transcript.delta", delta=text, **place)
        form = self.session["audio"]["output"]["format"]["type"].removeprefix("audio/")
        samples = self.voice(text)
        if form != "pcm":
            samples = resample(samples, RATE, 8000)
        for start in range(0, len(samples), PIECE):
            piece = samples[start : start + PIECE]
            octets = (
                piece.astype("<i2").tobytes() if form == "pcm" else G711[form.upper()].encode(piece)
            )
            delta = base64.b64encode(octets).decode()
            await self.send("response.output_audio.delta", delta=delta, **place)
            await asyncio.sleep(0.002)
        await self.send("response.output_audio.done", **place)
        told = {"type": "message", "id": item, "role": "assistant", "status": "completed",
                "content": []}  # fmt: skip
        await self.send("response.output_item.done", response_id="r", output_index=0, item=told)
        self.messages.append({"role": "assistant", "content": text})

    async def _done(self, status):
        usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
        await self.send("response.done", response=_response(status) | {"usage": usage})


def _response(status):
    return {"object": "realtime.response", "id": "r", "status": status, "output": [],
            "status_details": None, "usage": None}  # fmt: skip
