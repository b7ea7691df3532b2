import pytest

from opensip.media.engine import StreamConfig
from opensip.media.native_formats import (
    ENCODINGS,
    OPAQUE,
    OTHER_ENCODING,
    encoding,
    formats_of,
    is_plain,
    kilohertz,
    table,
)

REMOTE = ("192.0.2.1", 4000)


def test_what_was_agreed_before_may_still_come():
    old = StreamConfig(remote=REMOTE, receive=((0, "PCMU"), (96, "opus")))
    new = StreamConfig(remote=REMOTE, receive=((8, "PCMA"), (96, "telephone-event")))
    assert formats_of(new, old) == {0: "PCMU", 8: "PCMA", 13: "CN", 96: "telephone-event"}
    assert formats_of(new, StreamConfig()) == {8: "PCMA", 13: "CN", 96: "telephone-event"}
    assert formats_of(new, None) == formats_of(new, StreamConfig())


def test_tables_have_each_payload_type():
    formats = {0: "PCMU", 9: "G722", 111: "opus", 101: "telephone-event", 97: "speex"}
    encodings, clocks = table(formats, encoding), table(formats, kilohertz)
    assert len(encodings) == len(clocks) == 128
    assert (encodings[0], encodings[9], encodings[111]) == (ENCODINGS["PCMU"], OPAQUE, OPAQUE)
    assert (encodings[101], encodings[97], encodings[5]) == (3, OTHER_ENCODING, 0)
    assert [clocks[n] for n in (0, 9, 111, 101, 97, 5)] == [8, 8, 48, 0, 0, 0]


@pytest.mark.parametrize(
    ("codec", "receive", "plain"),
    [
        ("PCMU", ((0, "PCMU"), (101, "telephone-event")), True),
        ("PCMU", ((0, "PCMU"), (9, "G722")), False),
        ("opus", ((0, "PCMU"),), False),
    ],
)
def test_what_can_be_joined_packet_by_packet(codec, receive, plain):
    assert is_plain(StreamConfig(codec=codec, receive=receive)) is plain
