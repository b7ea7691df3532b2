import pytest

from opensip.events import Fault, SipReceived, SipSent
from opensip.sip.flow import Flow
from opensip.ua import watch as module
from opensip.ua.watch import MAX_TEXT, Watch, call_id_of

FLOW = Flow("UDP", ("127.0.0.1", 5060), ("::1", 5070))


class Notes(list):
    note = list.append


@pytest.mark.parametrize(
    ("data", "call_id"),
    [
        (b"INVITE x SIP/2.0\r\nCall-ID: one@x \r\n\r\n", "one@x"),
        (b"INVITE x SIP/2.0\r\ni:two\r\n\r\n", "two"),
        (b"INVITE x SIP/2.0\r\nX: Call-ID: no\r\n\r\n", ""),
    ],
)
def test_call_id_without_parsing(data, call_id):
    assert call_id_of(data) == call_id


def test_backlog_comes_first_and_is_bounded():
    watch, notes = Watch(), Notes()
    for number in range(20):
        watch.note(SipReceived, float(number), FLOW, b"x")
    watch.attach(notes)
    watch.note(SipSent, 20.0, FLOW, b"y")
    assert [event.at for event in notes] == [12, 13, 14, 15, 16, 17, 18, 19, 20]
    assert notes[-1] == SipSent(20.0, "UDP", "127.0.0.1:5060", "[::1]:5070", "y")


def test_secrets_are_masked():
    watch, notes = Watch(Notes()), None
    watch.note(SipSent, 0.0, FLOW, b'a\r\nAuthorization: Digest response="abc"\r\n\r\n')
    notes = watch._observer
    assert "abc" not in notes[0].text


def test_a_call_without_end_does_not_fill_the_disk(monkeypatch):
    monkeypatch.setattr(module, "MAX_MESSAGES", 3)
    notes = Notes()
    watch = Watch(notes)
    for number in range(9):
        watch.note(SipReceived, float(number), FLOW, b"x" * 70_000)
    assert [type(event) for event in notes] == [SipReceived] * 3 + [Fault]
    assert notes[3].at == 3.0
    assert {len(event.text) for event in notes[:3]} == {MAX_TEXT}
