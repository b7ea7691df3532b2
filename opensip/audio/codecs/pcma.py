"""PCMA: the A-law of ITU-T G.711."""

import numpy as np

from opensip.audio.codecs.codec import table_codec
from opensip.rtp.payload import PCMA


def decoded_codes() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Compute the 16-bit sample of each of the 256 codes (G.711 table 1, scaled to 16 bits)."""
    code = np.arange(256, dtype=np.int32) ^ 0x55  # even bits are inverted on the wire
    segment, step = code >> 4 & 7, (code & 0x0F) << 4
    magnitude = np.where(segment == 0, step + 8, step + 0x108 << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


CODEC = table_codec(PCMA, decoded_codes(), silence=0xD5)
