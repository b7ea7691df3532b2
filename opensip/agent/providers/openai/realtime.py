"""Speech to speech over a WebSocket (GET /realtime): G.711 passes through where the server can.

Turns are the server's: it tells when the caller begins and ends to speak.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, cast

import numpy as np
import structlog
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from opensip.agent import live
from opensip.agent.live import Opening, Told
from opensip.agent.memory import Call
from opensip.agent.prompt import system_prompt, version_of
from opensip.agent.providers import Brief
from opensip.agent.providers.openai.client import (
    WRONG_KEY,
    client_of,
    errors_of,
    health_of,
)
from opensip.agent.providers.openai.realtime_config import RATES, session
from opensip.agent.providers.openai.realtime_events import READERS, count_of, octets, text_of
from opensip.agent.spoken import fill
from opensip.agent.wire import Wire
from opensip.audio.codecs import G711
from opensip.audio.frame import Samples
from opensip.errors import OpenSipError, ProviderError, TransportFailed
from opensip.net.websocket import LARGEST_MESSAGE, failed, without_password

log = structlog.get_logger(__name__)

_MOST_TURNS = 100  # of a long call that are told anew, and as many tools: an outbox takes 250
_LONGEST_NOTE = 4000  # characters of what one tool did
MOST_WRONG = 20  # events of a call that may be of a strange shape, before the server is broken
_TOLD = 200  # characters of a server's own message
_OPTIONS = {
    "max_size": LARGEST_MESSAGE,
    "open_timeout": None,  # the whole opening has one limit of ours
    "close_timeout": 1.0,  # seconds: nobody waits for a dead peer
    "compression": None,
}
_GREET = "(The call begins: greet the caller and ask how you can help.)"
_GREET_SO = "(The call begins: greet the caller with exactly these words: {words})"
_FAILED = "(Nobody took the call: {words} Tell the caller so, and ask how else you can help.)"
_GO_ON = "(The line was down for a moment. Go on where you were; answer what is unanswered.)"
# Errors after which the talk goes on: what we asked for had happened already, or just not yet.
_HARMLESS = frozenset(
    {
        "response_cancel_not_active",
        "conversation_already_has_active_response",
        "item_truncate_invalid_item_id",
        "invalid_truncate",
    }
)


class OpenAiRealtime:
    """One call's line to a speech-to-speech model: a `Realtime` (agent/live.py)."""

    first_sound = None
    ends_call = False
    single_keys = False

    def __init__(self, brief: Brief) -> None:
        account = brief.account
        self.name = brief.name
        self.health = health_of("realtime", account)
        self.patience: float | None = account.realtime_seconds
        self.rate = RATES[account.realtime_format]
        self._account = account
        self._agent = brief.agent
        self._variables = brief.variables
        self._instructions = system_prompt(
            brief.agent, brief.variables, now=datetime.now().astimezone()
        )
        self.prompt = version_of(self._instructions)
        self._session = session(brief, self._instructions)
        self._wire = Wire(brief.name, self._connect_in_time, _send)
        self._wrong = 0  # events that were left out

    async def connect(self) -> None:
        """Open the connection and have the session set up, within `realtime_seconds`."""
        await self._wire.open()

    async def _connect_in_time(self) -> AsyncRealtimeConnection:
        seconds = self._account.realtime_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._connect()
        except TimeoutError as error:
            text = f"{self._place()}: no session within {seconds:g} s"
            raise ProviderError(text, provider=self.name) from error

    async def begin(self, opening: Opening) -> None:
        """Tell what was said so far, and want the first words."""
        await self._wire.begin()
        for turn in opening.turns[-_MOST_TURNS:]:
            kind, role = ("input_text", "user") if turn.speaker == "caller" else (
                "output_text", "assistant",
            )  # fmt: skip
            if turn.text:
                self._item({"type": "message", "role": role,
                            "content": [{"type": kind, "text": turn.text}]})  # fmt: skip
        for note in opening.notes[-_MOST_TURNS:]:
            self._note(note[:_LONGEST_NOTE])
        self._note(self._cause(opening))
        self.go_on()

    def hear(self, samples: Samples) -> None:
        """Send what the caller says."""
        audio = base64.b64encode(self._encoded(samples)).decode("ascii")
        self._wire.put(lambda line: line.input_audio_buffer.append(audio=audio))

    def press(self, keys: str) -> None:
        """Tell of keys; what is being answered is for nothing."""
        self._wire.put(lambda line: line.response.cancel())
        self._note(f"(The caller pressed the keys {' '.join(keys)}.)")

    def reached(self, name: str) -> None:
        """The model sets no marks."""

    def cut(self, item: str, heard: float) -> None:
        """Let the model forget what the caller did not hear."""
        ms = max(0, int(heard * 1000))
        self._wire.put(
            lambda line: line.conversation.item.truncate(
                item_id=item, content_index=0, audio_end_ms=ms
            )
        )

    def give(self, call: Call, result: str) -> None:
        """Give the result of a tool."""
        self._item({"type": "function_call_output", "call_id": call.id, "output": result})

    def go_on(self) -> None:
        """Want an answer."""
        self._wire.put(lambda line: line.response.create())

    async def told(self) -> AsyncIterator[Told]:
        """Tell what comes. Raises ProviderError: a server that says goodbye has failed."""
        line = self._wire.connection
        if line is None:
            raise ProviderError(f"{self.name}: is not connected", provider=self.name)
        try:
            with errors_of(self.name):
                while True:
                    told = self._read_any(await self._received(line))
                    if told is not None:
                        yield told
        except ProviderError as error:
            raise self._wire.error or error from error

    async def close(self) -> None:
        """Close the connection."""
        await self._wire.close()

    # ---- the connection

    async def _connect(self) -> AsyncRealtimeConnection:
        manager = client_of(self._account).realtime.connect(
            model=self._account.realtime_model,
            websocket_connection_options=cast(Any, _OPTIONS),
        )
        try:
            with errors_of(self.name):
                line = await manager.enter()
        except ProviderError:
            raise
        except Exception as error:  # of the library that openai opens sockets with
            raise self._refused(failed(error, self._place())) from error
        try:
            await self._set_up(line)
        except BaseException:
            await line.close()
            raise
        return line

    async def _set_up(self, line: AsyncRealtimeConnection) -> None:
        """Configure the session; an error before it is agreed to is one of the configuration."""
        with errors_of(self.name):
            await line.session.update(session=cast(Any, self._session))
            while True:
                event = await self._received(line)
                match getattr(event, "type", ""):
                    case "session.updated":
                        return
                    case "error":
                        why = str(getattr(getattr(event, "error", ""), "message", "no reason"))
                        raise ProviderError(
                            f"{self._place()}: refused the session: {why[:_TOLD]}",
                            provider=self.name,
                        )

    async def _received(self, line: AsyncRealtimeConnection) -> Any:
        try:
            return await line.recv()
        except (OpenSipError, asyncio.CancelledError):
            raise
        except Exception as error:  # of the socket's library, or a message of a strange shape
            text = str(failed(error, self._place()))
            raise ProviderError(text, provider=self.name, retryable=True) from error

    def _place(self) -> str:
        """Tell who we are and where the server is, without what its URL may hold of secrets."""
        url = without_password(str(client_of(self._account).base_url))
        return f"{self.name}: {url.replace('http', 'ws', 1).rstrip('/')}/realtime"

    def _refused(self, error: TransportFailed) -> ProviderError:
        wrong = "status 401" in str(error) or "status 403" in str(error)
        more = f": see api_key of [providers.{self.name}]" if wrong else ""
        rest = WRONG_KEY if wrong else 0.0
        return ProviderError(f"{error}{more}", provider=self.name, rest=rest)

    def _item(self, item: Mapping[str, Any]) -> None:
        self._wire.put(lambda line: line.conversation.item.create(item=cast(Any, item)))

    def _note(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        self._item({"type": "message", "role": "user", "content": content})

    # ---- what is said

    def _cause(self, opening: Opening) -> str:
        match opening.cause:
            case "transfer_failed":
                return _FAILED.format(words=opening.words or "they did not answer.")
            case "fallback" if opening.turns:
                return _GO_ON
        words = fill(self._agent.greeting, dict(self._variables))
        return _GREET_SO.format(words=words) if words else _GREET

    def _read_any(self, event: Any) -> Told | None:
        """Read an event; the client checks no shapes: what has another is left out, a while."""
        try:
            return self._read(event)
        except (AttributeError, TypeError) as error:
            self._wrong += 1
            kind = str(getattr(event, "type", ""))[:_TOLD]
            log.warning("realtime_event_refused", provider=self.name, type=kind, why=str(error))
            if self._wrong > MOST_WRONG:
                text = f"{self.name}: too many events of a strange shape, such as {kind!r}"
                raise ProviderError(text, provider=self.name) from error
            return None

    def _read(self, event: Any) -> Told | None:
        read = READERS.get(event.type)
        if read is not None:
            return read(event)
        match event.type:
            case "response.output_audio.delta":
                samples = self._decoded(octets(event.delta, self.name))
                return live.Sound(samples, self.rate, text_of(event.item_id))
            case "response.done" if event.response.status == "failed":
                why = getattr(event.response.status_details, "error", None)
                text = f"{self.name}: the answer failed: {getattr(why, 'code', '') or 'no reason'}"
                raise ProviderError(text, provider=self.name, retryable=True)
            case "response.done":
                return self._answered(event.response)
            case "error" if event.error.code not in _HARMLESS:
                log.warning(
                    "realtime_error", provider=self.name, code=event.error.code,
                    why=text_of(event.error.message)[:_TOLD],
                )  # fmt: skip
        return None

    def _answered(self, response: Any) -> live.Answered:
        used = response.usage
        model = self._account.realtime_model
        if used is None:
            return live.Answered(model)
        return live.Answered(model, count_of(used.input_tokens), count_of(used.output_tokens))

    def _encoded(self, samples: Samples) -> bytes:
        form = self._account.realtime_format
        return (
            samples.astype("<i2").tobytes() if form == "pcm" else G711[form.upper()].encode(samples)
        )

    def _decoded(self, octets: bytes) -> Samples:
        form = self._account.realtime_format
        if form == "pcm":
            return np.frombuffer(octets[: len(octets) // 2 * 2], "<i2").astype(np.int16)
        return G711[form.upper()].decode(octets)


async def _send(
    line: AsyncRealtimeConnection, send: Callable[[AsyncRealtimeConnection], Awaitable[None]]
) -> None:
    try:
        await send(line)
    except Exception as error:  # of the socket's library
        raise failed(error, "the connection") from error


def make(brief: Brief) -> OpenAiRealtime:
    """Make the line of one call. Raises ConfigError where a tool cannot be loaded."""
    return OpenAiRealtime(brief)
