"""What the events of GET /realtime tell. The client checks no shapes, so those are checked here.

AttributeError and TypeError mean an event of another shape.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from opensip.agent import live
from opensip.agent.live import Told
from opensip.agent.memory import Call
from opensip.errors import ProviderError


def text_of(value: object) -> str:
    """Take a text. Raises TypeError where it is none."""
    if not isinstance(value, str):
        raise TypeError(f"a text is wanted, not {type(value).__name__}")
    return value


def json_of(arguments: object) -> str:
    """Give the arguments of a tool as text; some servers send them as an object."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def count_of(value: object) -> int:
    """Take a count, 0 where there is none. Raises TypeError where it is something else."""
    if value is None:
        return 0
    if not isinstance(value, int):
        raise TypeError(f"a count is wanted, not {type(value).__name__}")
    return value


def _name(event: Any) -> str:
    """Give the name of a turn; not every server gives one."""
    return str(getattr(event, "item_id", None) or "")


def is_whole(item: Any) -> bool:
    """Tell whether an item is one that nothing cut off; not every server says so of each."""
    return getattr(item, "status", None) in (None, "completed")


def _item(event: Any) -> Told | None:
    item = event.item
    match item.type:
        case "function_call" if is_whole(item):
            return Call(
                text_of(item.call_id or item.id or ""),
                text_of(item.name),
                text_of(item.arguments or "{}"),
            )
        case "message":
            return live.Finished(text_of(item.id or ""))
    return None


READERS: Mapping[str, Callable[[Any], Told | None]] = {
    "input_audio_buffer.speech_started": lambda event: live.Began(),
    "input_audio_buffer.speech_stopped": lambda event: live.Ended(_name(event)),
    "conversation.item.input_audio_transcription.completed": lambda event: live.Understood(
        text_of(event.transcript).strip(), _name(event)
    ),
    "response.created": lambda event: live.Answering(),
    "response.output_audio_transcript.delta": lambda event: live.Spoken(
        text_of(event.item_id), text_of(event.delta)
    ),
    "response.output_item.done": _item,
}


def octets(text: str, name: str) -> bytes:
    """Decode the sound of a delta that `name` sent. Raises ProviderError, TypeError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProviderError(f"{name}: sound that is no base64", provider=name) from error
