"""The codecs: one record each, found by encoding name in CODECS.

To add one, write its file beside pcmu.py and its line here; tests/audio/codecs tries each entry.
"""

import importlib.util
from collections.abc import Iterable

from opensip.audio.codecs import g722, opus, pcma, pcmu
from opensip.audio.codecs.codec import Codec, FramedCodec, TableCodec
from opensip.errors import ConfigError, MissingExtra

__all__ = ["CODECS", "G711", "Codec", "FramedCodec", "TableCodec", "find", "widest"]

NARROW = 8000  # Hz, of the telephone


def _named(codecs: Iterable[TableCodec]) -> dict[str, TableCodec]:
    return {codec.format.encoding_name: codec for codec in codecs}


G711: dict[str, TableCodec] = _named((pcmu.CODEC, pcma.CODEC))
CODECS: dict[str, Codec] = {
    **G711,
    "G722": g722.CODEC,
    "opus": opus.CODEC,
}


def find(name: str) -> Codec:
    """Find a codec that works here by its name. Raises ConfigError, MissingExtra."""
    codec = CODECS.get(name)
    if codec is None:
        raise ConfigError(f"no codec {name!r}: known are {', '.join(CODECS)}")
    if isinstance(codec, FramedCodec) and importlib.util.find_spec(codec.needs[0]) is None:
        raise MissingExtra(codec.needs[1], f"the codec {name}")
    return codec


def widest(names: Iterable[str]) -> int:
    """Tell the highest sample rate in Hz among codecs, that of the telephone at least."""
    return max((CODECS[name].rate for name in names), default=NARROW)
