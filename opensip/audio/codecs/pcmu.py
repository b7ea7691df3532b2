"""PCMU: the µ-law of ITU-T G.711."""

import numpy as np

from opensip.audio.codecs.codec import table_codec
from opensip.rtp.payload import PCMU

BIAS = 0x84  # 33 in 14 bits: shifts every segment to a power of two
NEGATIVE_ZERO = 0x7F


def decoded_codes() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Compute the 16-bit sample of each of the 256 codes (G.711 table 2, scaled to 16 bits).

    The negative zero becomes -1, 96 dB below full scale, so that every code survives decoding
    and encoding: an echo or a bridge then changes no octet.
    """
    code = ~np.arange(256, dtype=np.int32) & 0xFF  # all bits are inverted on the wire
    magnitude = (((code & 0x0F) << 3) + BIAS << (code >> 4 & 7)) - BIAS
    samples = np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
    samples[NEGATIVE_ZERO] = -1
    return samples


CODEC = table_codec(PCMU, decoded_codes(), silence=0xFF)
