from types import SimpleNamespace

import pytest

from opensip.agent import live
from opensip.agent.memory import Call
from opensip.agent.providers.openai.realtime_events import READERS, count_of, octets, text_of
from opensip.errors import ProviderError


def read(kind, **fields):
    return READERS[kind](SimpleNamespace(**fields))


def item(**fields):
    return read("response.output_item.done", item=SimpleNamespace(**fields))


def test_tells_what_events_mean():
    delta = "response.output_audio_transcript.delta"
    assert read(delta, item_id="i", delta="Hi") == live.Spoken("i", "Hi")
    assert item(type="message", id="i") == live.Finished("i")
    assert item(type="reasoning") is None
    call = item(type="function_call", call_id="c", id="i", name="look", arguments=None)
    assert call == Call("c", "look", "{}")
    assert octets("QQ==", "main") == b"A"
    assert (text_of("x"), count_of(None), count_of(3)) == ("x", 0, 3)


@pytest.mark.parametrize("status", ["incomplete", "in_progress"])
def test_a_call_that_was_cut_off_is_none(status):
    call = {"type": "function_call", "call_id": "c", "id": "i", "name": "look", "arguments": "{}"}
    assert item(**call, status=status) is None
    assert item(**call, status="completed") == item(**call) == Call("c", "look", "{}")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("response.output_audio_transcript.delta", {"item_id": "i", "delta": None}),
        ("response.output_item.done", {"item": None}),
        ("response.output_item.done", {"item": SimpleNamespace(type="message", id=["i"])}),
        ("conversation.item.input_audio_transcription.completed", {"transcript": None}),
    ],
)
def test_refuses_other_shapes(kind, fields):
    with pytest.raises((AttributeError, TypeError)):
        read(kind, **fields)


def test_refuses_what_is_no_sound_and_no_count():
    with pytest.raises(ProviderError, match="main: sound that is no base64"):
        octets("?", "main")
    with pytest.raises(TypeError):
        octets(None, "main")
    with pytest.raises(TypeError):
        count_of("3")
