"""The records of codecs: tables of one byte a sample, and coders that go packet by packet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from opensip.audio.frame import Samples
from opensip.rtp.payload import PayloadFormat


@dataclass(frozen=True, slots=True)
class TableCodec:
    """How to turn samples into payload and back: one byte a sample, no state between frames.

    `rate` is in Hz of the samples; `silence` is the payload byte of digital silence.
    """

    format: PayloadFormat
    rate: int
    silence: int
    encode: Callable[[Samples], bytes]
    decode: Callable[[bytes], Samples]

    def encoder(self, samples: int, fmtp: str) -> Callable[[Samples], bytes]:
        """Give what encodes, as of a codec with state."""
        return self.encode

    def decoder(self) -> Callable[[bytes], Samples]:
        """Give what decodes."""
        return self.decode

    def frame_samples(self, ptime: int) -> int:
        """Samples in a packet of `ptime` milliseconds."""
        return self.rate * ptime // 1000


@dataclass(frozen=True, slots=True)
class FramedCodec:
    """How to make coders that remember what went before: one each for each way of a stream.

    `rate` is in Hz of the samples, not always the clock rate of `format`. `encoder` is given
    the samples of a packet and the peer's format parameters; what it returns turns that many
    samples into a payload. What `decoder` returns turns a payload into samples, or raises
    RemoteProtocolError. `needs` is the package without which neither works, and its extra.
    """

    format: PayloadFormat
    rate: int
    encoder: Callable[[int, str], Callable[[Samples], bytes]]
    decoder: Callable[[], Callable[[bytes], Samples]]
    needs: tuple[str, str]

    def frame_samples(self, ptime: int) -> int:
        """Samples in a packet of `ptime` milliseconds."""
        return self.rate * ptime // 1000


Codec: TypeAlias = TableCodec | FramedCodec


def table_codec(form: PayloadFormat, codes: NDArray[np.int16], silence: int) -> TableCodec:
    """Make a codec of one byte a sample from the 256 samples that its codes stand for.

    Each sample is encoded as the nearest code. Both ways are one look-up in a table.
    """
    decoded = codes.astype("<i2")
    encoded = _nearest_codes(codes)

    def encode(samples: Samples) -> bytes:
        return encoded[samples.view(np.uint16)].tobytes()

    def decode(payload: bytes) -> Samples:
        return cast(Samples, decoded[np.frombuffer(payload, np.uint8)])

    return TableCodec(form, form.clock_rate, silence, encode, decode)


def _nearest_codes(codes: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Tabulate the code nearest to each 16-bit sample, indexed by its bits as unsigned.

    Midway between two codes the louder one is taken, and 0 becomes the positive zero.
    """
    order = np.argsort(codes, kind="stable")
    ordered = codes[order].astype(np.int32)
    midway = (ordered[:-1] + ordered[1:]) // 2
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    above, below = (np.searchsorted(midway, samples, side) for side in ("right", "left"))
    return cast(NDArray[np.uint8], order[np.where(samples < 0, below, above)].astype(np.uint8))
