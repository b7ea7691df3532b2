import asyncio

import pytest

from opensip.call.digit_sender import send_digits
from opensip.errors import MediaError


class Media:
    def __init__(self, *, takes_events):
        self.takes_events = takes_events
        self.sent = []

    async def send_digits(self, digits):
        self.sent.append(("events", digits))

    async def send_tones(self, digits):
        self.sent.append(("tones", digits))


def sent(digits, way, *, takes_events=True, status=200):
    media = Media(takes_events=takes_events)

    async def info(content_type, body):
        media.sent.append((content_type, body))
        return status

    asyncio.run(send_digits(digits, way, media=media, info=info))
    return media.sent


def test_each_way():
    assert sent("12", "auto") == sent("12", "rfc4733") == [("events", "12")]
    assert sent("12", "auto", takes_events=False) == sent("12", "inband") == [("tones", "12")]
    assert sent("1d", "info") == [("application/dtmf", b"1"), ("application/dtmf", b"D")]
    assert sent("#", "info-relay") == [("application/dtmf-relay", b"Signal=#\r\nDuration=160\r\n")]


def test_a_refused_info_ends_it():
    with pytest.raises(MediaError, match="INFO with 415"):
        sent("12", "info", status=415)


@pytest.mark.parametrize("way", ["auto", "info", "inband"])
def test_what_is_no_key_is_refused_before_anything_is_sent(way):
    with pytest.raises(MediaError, match=r"'\\nx' is on no telephone|'\\nX'"):
        sent("1\nx", way)
