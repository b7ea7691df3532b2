"""Speech to speech over a WebSocket (GET /realtime): G.711 passes through where the server can.

Turns are the server's: it tells when the caller begins and ends to speak.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any, cast

import structlog

from opensip.agent import live
from opensip.agent.live import Opening, Told
from opensip.agent.memory import Call
from opensip.agent.prompt import system_prompt, version_of
from opensip.agent.providers import Brief
from opensip.agent.providers.openai.client import health_of
from opensip.agent.providers.openai.realtime_config import session
from opensip.agent.providers.openai.realtime_events import READERS, count_of, octets, text_of
from opensip.agent.providers.openai.realtime_line import TOLD, RealtimeLine
from opensip.agent.providers.openai.realtime_sound import RATES, decoded, encoded
from opensip.agent.spoken import fill
from opensip.audio.frame import Samples
from opensip.errors import ProviderError

log = structlog.get_logger(__name__)

_MOST_TURNS = 100  # of a long call that are told anew, and as many tools: an outbox takes 250
_LONGEST_NOTE = 4000  # characters of what one tool did
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
        self._line = RealtimeLine(
            brief.name, account, query={"model": account.realtime_model},
            session=session(brief, self._instructions), seconds=account.realtime_seconds,
        )  # fmt: skip

    async def connect(self) -> None:
        """Open the connection and have the session set up, within `realtime_seconds`."""
        await self._line.open()

    async def begin(self, opening: Opening) -> None:
        """Tell what was said so far, and want the first words."""
        await self._line.begin()
        for turn in opening.turns[-_MOST_TURNS:]:
            kind, role = ("input_text", "user") if turn.speaker == "caller" else (
                "output_text", "assistant",
            )  # fmt: skip
            if turn.text:
                self._item({"type": "message", "role": role,
                            "content": [{"type": kind, "text": turn.text}]})  # fmt: skip
        for note in opening.notes[-_MOST_TURNS:]:
            self.note(note[:_LONGEST_NOTE])
        self.note(self._cause(opening))
        self.go_on()

    def hear(self, samples: Samples) -> None:
        """Send what the caller says."""
        audio = encoded(samples, self._account.realtime_format)
        self._line.put(lambda line: line.input_audio_buffer.append(audio=audio))

    def press(self, keys: str) -> None:
        """Tell of keys; what is being answered is for nothing."""
        self._line.put(lambda line: line.response.cancel())
        self.note(f"(The caller pressed the keys {' '.join(keys)}.)")

    def reached(self, name: str) -> None:
        """The model sets no marks."""

    def cut(self, item: str, heard: float) -> None:
        """Let the model forget what the caller did not hear."""
        ms = max(0, int(heard * 1000))
        self._line.put(
            lambda line: line.conversation.item.truncate(
                item_id=item, content_index=0, audio_end_ms=ms
            )
        )

    def give(self, call: Call, result: str) -> None:
        """Give the result of a tool."""
        self._item({"type": "function_call_output", "call_id": call.id, "output": result})

    def note(self, text: str) -> None:
        """Tell what no caller said."""
        content = [{"type": "input_text", "text": text}]
        self._item({"type": "message", "role": "user", "content": content})

    def go_on(self) -> None:
        """Want an answer."""
        self._line.put(lambda line: line.response.create())

    async def told(self) -> AsyncIterator[Told]:
        """Tell what comes. Raises ProviderError: a server that says goodbye has failed."""
        async with aclosing(self._line.events()) as events:
            async for event in events:
                told = self._line.read(event, self._read)
                if told is not None:
                    yield told

    async def close(self) -> None:
        """Close the connection."""
        await self._line.close()

    def _item(self, item: Mapping[str, Any]) -> None:
        self._line.put(lambda line: line.conversation.item.create(item=cast(Any, item)))

    # ---- what is said

    def _cause(self, opening: Opening) -> str:
        match opening.cause:
            case "transfer_failed":
                return _FAILED.format(words=opening.words or "they did not answer.")
            case "fallback" if opening.turns:
                return _GO_ON
        words = fill(self._agent.greeting, dict(self._variables), self._agent.language)
        return _GREET_SO.format(words=words) if words else _GREET

    def _read(self, event: Any) -> Told | None:
        read = READERS.get(event.type)
        if read is not None:
            return read(event)
        match event.type:
            case "response.output_audio.delta":
                samples = decoded(octets(event.delta, self.name), self._account.realtime_format)
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
                    why=text_of(event.error.message)[:TOLD],
                )  # fmt: skip
        return None

    def _answered(self, response: Any) -> live.Answered:
        used = response.usage
        model = self._account.realtime_model
        if used is None:
            return live.Answered(model)
        return live.Answered(model, count_of(used.input_tokens), count_of(used.output_tokens))


def make(brief: Brief) -> OpenAiRealtime:
    """Make the line of one call. Raises ConfigError where a tool cannot be loaded."""
    return OpenAiRealtime(brief)
