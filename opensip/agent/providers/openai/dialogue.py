"""Dialogue by chat completions: streamed words and tools (POST /chat/completions)."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from openai import omit
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall

from opensip.agent.chat import Delta, Used, Words, tool_specs
from opensip.agent.memory import Call, Message
from opensip.agent.model import ModelDialogue
from opensip.agent.providers import Brief
from opensip.agent.providers.openai.client import (
    Patience,
    client_of,
    errors_of,
    health_of,
    prepare,
)
from opensip.agent.providers.openai.realtime_events import count_of, json_of, text_of
from opensip.agent.providers.openai.responses import OpenAiResponses
from opensip.agent.tools import Tool
from opensip.errors import ProviderError

_CUT = ("length", "content_filter")  # reasons of an answer that ends amid a word or a call


@dataclass(slots=True)
class _Asked:
    """A tool's call as it comes, piece by piece."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class OpenAiChat:
    """One call's access to a chat model."""

    def __init__(self, brief: Brief) -> None:
        self.name = brief.name
        self.health = health_of("dialogue", brief.account)
        self._account = brief.account

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncGenerator[Delta]:
        """Answer: words as they come, then each tool's call, then what it took."""
        asked: list[_Asked] = []
        finished, cut, used = False, False, Used(self._account.dialogue_model)
        with errors_of(self.name):
            async with aclosing(self._chunks(messages, tools)) as chunks:
                async for chunk in chunks:
                    if chunk.usage:
                        tokens = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
                        used = Used(chunk.model or used.model, *map(count_of, tokens))
                    for choice in chunk.choices or ():
                        if delta := cast("ChoiceDelta | None", choice.delta):  # not all send one
                            if text := delta.content or delta.refusal:
                                yield Words(text_of(text))
                            _collect(asked, delta.tool_calls or ())
                        finished = finished or choice.finish_reason is not None
                        cut = cut or choice.finish_reason in _CUT
        if not finished:
            raise ProviderError(f"{self.name}: the answer broke off", provider=self.name,
                                retryable=True)  # fmt: skip
        if cut and asked:
            asked.pop()  # it was being written
        for number, call in enumerate(asked):
            yield Call(call.id or f"call_{len(messages)}_{number}", call.name, call.arguments)
        yield used

    async def prepare(self) -> None:
        """Open the connection."""
        await prepare("dialogue", self._account)

    async def _chunks(
        self, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncGenerator[ChatCompletionChunk]:
        account = self._account
        specs = cast(Any, tool_specs(tools)) if tools else omit
        patience = Patience(account.dialogue_seconds, self.name)
        stream = await patience.wait(
            client_of(account).chat.completions.create(
                model=account.dialogue_model,
                messages=cast("list[ChatCompletionMessageParam]", list(messages)),
                tools=specs,
                stream=True,
                stream_options={"include_usage": True},
                extra_body=dict(account.options) or None,
            )
        )
        try:
            while (chunk := await patience.wait(anext(stream, None))) is not None:
                if _tells(chunk):
                    patience.rewarded()
                yield chunk
        finally:
            await stream.close()


def _tells(chunk: ChatCompletionChunk) -> bool:
    """Tell whether a chunk is a part of the answer, not of what the model thinks before it."""
    deltas = [choice.delta for choice in chunk.choices or () if choice.delta]
    ends = any(choice.finish_reason for choice in chunk.choices or ())
    return ends or any(one.content or one.refusal or one.tool_calls for one in deltas)


def _collect(asked: list[_Asked], deltas: Sequence[ChoiceDeltaToolCall]) -> None:
    """Put the pieces of calls together; servers that count nothing send each call whole."""
    for position, delta in enumerate(deltas):
        given: int | None = getattr(delta, "index", None)
        index = position if given is None else given
        call = next((one for one in reversed(asked) if one.index == index), None)
        if call is None or _begins(call, delta):
            call = _Asked(index)
            asked.append(call)
        call.id = call.id or delta.id or ""
        if delta.function:
            call.name = call.name or delta.function.name or ""
            call.arguments += json_of(delta.function.arguments or "")


def _begins(call: _Asked, delta: ChoiceDeltaToolCall) -> bool:
    """Tell whether a piece is of another call, though its index is the same as that of `call`."""
    if delta.id and call.id:
        return delta.id != call.id
    with suppress(ValueError, RecursionError):
        json.loads(call.arguments)
        return bool(delta.function and delta.function.name)
    return False


def make(brief: Brief) -> ModelDialogue:
    """Make the dialogue of one call. Raises ConfigError where a tool cannot be loaded."""

    def now() -> float:
        return asyncio.get_running_loop().time()

    chat = (
        OpenAiResponses(brief) if brief.account.dialogue_api == "responses" else OpenAiChat(brief)
    )
    return ModelDialogue(brief, chat, now=now, today=datetime.now().astimezone())
