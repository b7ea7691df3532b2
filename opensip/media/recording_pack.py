"""Recordings as FLAC and Opus, and back: the one door to PyAV for whole files.

Import it only where it is used: it needs the extra `codecs`.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO

import av
import numpy as np

from opensip.errors import MediaError

OPUS_BITS = 48_000  # a second, for both channels together: more than a telephone's band needs
_INPUT_RATE = slice(12, 16)  # of OpusHead
_BLOCK = 8192  # frames that are encoded at once
_FORMS = {"flac": ("flac", "flac"), "opus": ("ogg", "libopus")}  # container and coder


def encode(
    sound: Iterable[bytes],
    rate: int,
    form: str,
    file: BinaryIO,
    *,
    going_on: Callable[[], bool] = lambda: True,
) -> None:
    """Write 16-bit PCM of two channels, interleaved, at `rate` Hz, as "flac" or "opus".

    Raises MediaError once `going_on` says no, and where it cannot be encoded.
    """
    container, coder = _FORMS[form]
    try:
        with av.open(file, "w", format=container) as output:
            stream: Any = output.add_stream(coder, rate=rate, layout="stereo")
            if form == "opus":
                stream.bit_rate = OPUS_BITS
                stream.options = {"application": "audio"}
            at = 0
            for block in _blocks(sound):
                if not going_on():
                    raise MediaError("there was no time left to pack the recording")
                frame = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
                frame.sample_rate, frame.pts = rate, at
                at += block.shape[1] // 2
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise MediaError(f"the recording cannot be written as {form}: {error}") from error


def decode(file: BinaryIO) -> tuple[int, Iterator[bytes]]:
    """Read a file that `encode` wrote: its rate in Hz, and 16-bit PCM of two channels.

    Opus decodes to 48000 Hz, but its header has the rate of what was encoded. Raises MediaError
    where it is no such file.
    """
    try:
        source: Any = av.open(file)
        rate = _rate(source.streams.audio[0])
        return rate, _decoded(source, rate)
    except (av.FFmpegError, IndexError) as error:
        raise MediaError(f"this is no recording that can be played: {error}") from error


def _rate(stream: Any) -> int:
    """Tell the rate of what was encoded: of Opus by its identification header, RFC 7845, 5.1."""
    header = stream.codec_context.extradata or b""
    told = int.from_bytes(header[_INPUT_RATE], "little") if header.startswith(b"OpusHead") else 0
    return told or int(stream.rate)


def _decoded(source: Any, rate: int) -> Iterator[bytes]:
    resampler = av.AudioResampler(format="s16", layout="stereo", rate=rate)
    try:
        with source:
            for frame in chain(source.decode(audio=0), (None,)):  # at last what it holds back
                yield from (
                    bytes(made.to_ndarray().tobytes()) for made in resampler.resample(frame)
                )
    except av.FFmpegError as error:
        raise MediaError(f"the recording is damaged: {error}") from error


def _blocks(sound: Iterable[bytes]) -> Iterator[Any]:
    """Cut sound into blocks that a coder takes: one row of interleaved samples."""
    waiting = b""
    size = 4 * _BLOCK
    for piece in sound:
        waiting += piece
        while len(waiting) >= size:
            yield np.frombuffer(waiting[:size], "<i2").reshape(1, -1)
            waiting = waiting[size:]
    if whole := len(waiting) // 4 * 4:
        yield np.frombuffer(waiting[:whole], "<i2").reshape(1, -1)
