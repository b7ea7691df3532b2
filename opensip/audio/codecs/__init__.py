"""The codecs: one record each, found by encoding name in CODECS.

To add one, write its file beside pcmu.py and its line here; tests/audio/codecs tries each entry.
"""

from opensip.audio.codecs import pcma, pcmu
from opensip.audio.codecs.codec import Codec

__all__ = ["CODECS", "Codec"]

CODECS: dict[str, Codec] = {c.format.encoding_name: c for c in (pcmu.CODEC, pcma.CODEC)}
