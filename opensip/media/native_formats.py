"""What may come to a stream, as the native engine's tables have it."""

from collections.abc import Callable, Mapping

from opensip.audio.codecs import CODECS, G711
from opensip.media.engine import StreamConfig

ENCODINGS = {"PCMU": 1, "PCMA": 2, "telephone-event": 3, "CN": 4}  # as csrc/receiver.h has them
OTHER_ENCODING, OPAQUE = 5, 6
COMFORT_NOISE = 13  # may come unasked, RFC 3389: it says that the peer is there


def formats_of(config: StreamConfig, old: StreamConfig | None) -> dict[int, str]:
    """Name each payload type; those of the agreement before may still be on their way."""
    before = old.receive if old is not None and old.remote is not None else ()
    return dict(((COMFORT_NOISE, "CN"), *before, *config.receive))


def table(formats: Mapping[int, str], value: Callable[[str], int]) -> bytes:
    """Give what is told of each payload type, 0 of those that may not come."""
    return bytes(value(formats[number]) if number in formats else 0 for number in range(128))


def encoding(name: str) -> int:
    """Tell what the thread is to do with a format."""
    if name in CODECS and name not in G711:
        return OPAQUE
    return ENCODINGS.get(name, OTHER_ENCODING)


def kilohertz(name: str) -> int:
    """Tell the clock of what is sound, which alone has one of its own."""
    return CODECS[name].format.clock_rate // 1000 if name in CODECS else 0


def is_plain(config: StreamConfig) -> bool:
    """Tell whether all that may come and go is G.711, which can be joined packet by packet."""
    names = (config.codec, *(name for _, name in config.receive))
    return not any(encoding(name) == OPAQUE for name in names)
