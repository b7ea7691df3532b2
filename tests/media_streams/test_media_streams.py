"""What holds of every format: what it writes it reads, and strangers' texts harm nobody."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.media_streams import FORMATS
from opensip.media_streams.message import (
    Clear,
    Connected,
    Heard,
    Key,
    Mark,
    Play,
    Reached,
    Start,
    Stop,
)

text = st.text(min_size=1, max_size=20)
payload = st.binary(max_size=320)
parameters = st.dictionaries(text, st.text(max_size=20), max_size=4)
EVENTS = {
    "twilio": st.one_of(
        st.just(Connected()),
        st.builds(Start, st.just("MZ1"), text, text, parameters),
        st.builds(Heard, payload, st.integers(0, 10**9)),
        st.builds(Key, st.sampled_from("0123456789*#ABCD")),
        st.builds(Reached, text),
        st.builds(Stop, st.just("MZ1"), text, text),
    ),
    "bandwidth": st.one_of(
        st.builds(Start, text, text, text, parameters),
        st.builds(Heard, payload),
        st.builds(Stop, text, text, text),
    ),
}
COMMANDS = {
    "twilio": st.one_of(st.builds(Play, payload), st.builds(Mark, text), st.just(Clear())),
    "bandwidth": st.one_of(
        st.builds(Play, payload),
        st.builds(Play, payload.map(lambda p: p + p), st.sampled_from([8000, 16000, 24000])),
        st.just(Clear()),
    ),
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = (
    "event", "eventType", "media", "start", "stop", "mark", "dtmf", "payload", "track", "metadata",
    "streamParams", "customParameters", "contentType", "mediaFormat", "name",
)  # fmt: skip
KINDS = ("connected", "start", "media", "dtmf", "mark", "stop", "clear", "playAudio")
strange = st.dictionaries(
    st.sampled_from(NAMES),
    st.sampled_from(KINDS) | json_values | st.dictionaries(st.sampled_from(NAMES), json_values),
)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40)
@given(data=st.data(), number=st.integers(1, 10**6))
def test_what_is_written_is_read(name, data, number):
    form = FORMATS[name]
    event = data.draw(EVENTS[name])
    assert form.read_event(form.write_event(event, stream="MZ1", number=number)) == event
    command = data.draw(COMMANDS[name])
    assert form.read_command(form.write_command(command, "MZ1")) == command


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40)
@given(
    message=st.one_of(st.text(max_size=40), strange.map(json.dumps), json_values.map(json.dumps))
)
def test_anything_is_read_or_refused(name, message):
    for read in (FORMATS[name].read_event, FORMATS[name].read_command):
        with contextlib.suppress(RemoteProtocolError):  # and nothing else
            read(message)


@pytest.mark.parametrize("name", FORMATS)
def test_messages_of_unknown_kinds_are_none(name):
    message = '{"event": "weather", "eventType": "weather"}'
    assert FORMATS[name].read_event(message) is None
    assert FORMATS[name].read_command(message) is None
