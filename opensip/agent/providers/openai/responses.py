"""Dialogue by responses: streamed words and tools (POST /responses). Nothing is stored there."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

from openai import omit

from opensip.agent.chat import Delta, Used, Words
from opensip.agent.memory import Call, Message
from opensip.agent.providers import Brief
from opensip.agent.providers.openai.client import (
    Patience,
    client_of,
    errors_of,
    health_of,
    prepare,
)
from opensip.agent.providers.openai.realtime_events import count_of, is_whole, json_of, text_of
from opensip.agent.tools import Tool
from opensip.errors import ProviderError

_TELLING = (  # events that are a part of the answer, not of what the model thinks before it
    *("response.output_text", "response.refusal", "response.function_call_arguments"),
    *("response.output_item.done", "response.completed", "response.incomplete"),
)


class OpenAiResponses:
    """One call's access to a model that answers by responses."""

    def __init__(self, brief: Brief) -> None:
        self.name = brief.name
        self.health = health_of("dialogue", brief.account)
        self._account = brief.account

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncGenerator[Delta]:
        """Answer: words as they come, each tool's call once it is whole, then what it took."""
        finished, number = False, 0
        with errors_of(self.name):
            async with aclosing(self._events(messages, tools)) as events:
                async for event in events:
                    match event.type:
                        case "response.output_text.delta" | "response.refusal.delta":
                            yield Words(text_of(event.delta))
                        case "response.output_item.done" if _is_call(event.item):
                            item, number = event.item, number + 1
                            name = item.call_id or item.id or f"call_{len(messages)}_{number}"
                            yield Call(name, text_of(item.name), json_of(item.arguments or ""))
                        case "response.completed" | "response.incomplete":
                            finished = True
                            yield self._used(event.response)
                        case "response.failed":
                            raise self._failed(event.response.error)
                        case "error":
                            raise self._failed(event)
        if not finished:
            raise ProviderError(f"{self.name}: the answer broke off", provider=self.name,
                                retryable=True)  # fmt: skip

    async def prepare(self) -> None:
        """Open the connection."""
        await prepare("dialogue", self._account)

    async def _events(
        self, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncGenerator[Any]:
        account = self._account
        instructions, items = items_of(messages)
        patience = Patience(account.dialogue_seconds, self.name)
        stream = await patience.wait(
            client_of(account).responses.create(
                model=account.dialogue_model,
                instructions=instructions,
                input=cast(Any, items),
                tools=cast(Any, [_spec(tool) for tool in tools]) if tools else omit,
                stream=True,
                store=False,
                extra_body=dict(account.options) or None,
            )
        )
        try:
            while (event := await patience.wait(anext(stream, None))) is not None:
                if event.type.startswith(_TELLING):
                    patience.rewarded()
                yield event
        finally:
            await stream.close()

    def _used(self, response: Any) -> Used:
        usage = response.usage
        tokens = (usage.input_tokens, usage.output_tokens) if usage else (0, 0)
        return Used(response.model or self._account.dialogue_model, *map(count_of, tokens))

    def _failed(self, error: Any) -> ProviderError:
        text = getattr(error, "message", "") or "no reason was given"
        return ProviderError(f"{self.name}: {text}", provider=self.name, retryable=True)


def items_of(messages: Sequence[Message]) -> tuple[str, list[dict[str, Any]]]:
    """Rewrite messages as instructions and the items of a request."""
    instructions: list[str] = []
    items: list[dict[str, Any]] = []
    for message in messages:
        content = message.get("content")
        match message["role"]:
            case "system":
                instructions.append(str(content))
            case "tool":
                items.append({"type": "function_call_output", "output": content,
                              "call_id": message["tool_call_id"]})  # fmt: skip
            case role:
                if content:
                    items.append({"role": role, "content": content})
                items += [
                    {"type": "function_call", "call_id": call["id"], **call["function"]}
                    for call in message.get("tool_calls", ())
                ]
    return "\n\n".join(instructions), items


def _is_call(item: Any) -> bool:
    return item.type == "function_call" and is_whole(item)


def _spec(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
        "strict": False,
    }
