"""The one door to PyAV: FFmpeg's coders, packet by packet. Imported only where one is used."""

from collections.abc import Mapping
from typing import Any

import av
import numpy as np

from opensip.audio.frame import Samples
from opensip.errors import RemoteProtocolError


class Encoder:
    """Encodes one stream of 16-bit samples at `rate` Hz; each call makes one payload."""

    def __init__(
        self, name: str, rate: int, *, bit_rate: int = 0, options: Mapping[str, str] | None = None
    ) -> None:
        context: Any = av.CodecContext.create(name, "w")
        context.sample_rate, context.layout, context.format = rate, "mono", "s16"
        context.options = dict(options or {})
        if bit_rate:
            context.bit_rate = bit_rate
        context.open()
        self._context, self._rate = context, rate
        self._at = 0  # samples so far

    def __call__(self, samples: Samples) -> bytes:
        """Encode the samples of a packet."""
        plane = np.ascontiguousarray(samples, np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(plane, format="s16", layout="mono")
        frame.sample_rate, frame.pts = self._rate, self._at
        self._at += len(samples)
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


class Decoder:
    """Decodes one stream into 16-bit samples at `rate` Hz."""

    def __init__(self, name: str, rate: int) -> None:
        context: Any = av.CodecContext.create(name, "r")
        context.sample_rate, context.layout = rate, "mono"
        self._context = context

    def __call__(self, payload: bytes) -> Samples:
        """Decode a payload. Raises RemoteProtocolError where it is none of the codec's."""
        if not payload:  # to FFmpeg an empty packet is the end of the stream
            return np.zeros(0, np.int16)
        try:
            frames = self._context.decode(av.Packet(payload))
        except av.FFmpegError as error:
            raise RemoteProtocolError(f"payload of {len(payload)} bytes: {error}") from error
        pieces = [frame.to_ndarray().reshape(-1) for frame in frames]
        return np.concatenate([np.zeros(0, np.int16), *pieces])
