"""A recording in another form: packed once its call is over, or given out as it is asked for."""

import io
import os
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from opensip.errors import MediaError, MissingExtra
from opensip.media.recording_file import HEADER_SIZE, open_private, wav_header
from opensip.media.recording_sealed import CHUNK, SealedFile
from opensip.media.recordings import UNFINISHED, Recording, Recordings

_KIND_AT, _RATE_AT = slice(8, 16), slice(24, 28)  # of a WAV header
_KIND = b"WAVEfmt "
_RATES = range(8000, 48001)  # Hz, of the codecs that are recorded


def check_form(form: str) -> None:
    """Raise MissingExtra where recordings of a form cannot be made here."""
    if form != "wav" and find_spec("av") is None:
        raise MissingExtra("codecs", f"a recording as {form}")


def pack(recordings: Recordings, call_id: str, form: str, *, going_on: Callable[[], bool]) -> Path:
    """Put a recording into `form` in place of WAV, encrypted if it was; gives its new path.

    It takes seconds: a work for a thread. What was recorded stays until the new file is whole.
    Raises MediaError, OSError, MissingExtra, ConfigError.
    """
    recording = recordings.find(call_id)
    if recording.form == form:
        return recording.path
    if not recording.whole:
        raise MediaError(f"{recording.path} was cut off, and stays as it is so that this shows")
    target = recordings.path(call_id, form, sealed=recording.sealed)
    unfinished = target.with_name(target.name + UNFINISHED)
    rate, sound = samples(recordings, recording)
    try:
        if recording.sealed:
            packed = io.BytesIO()
            _pack().encode(sound, rate, form, packed, going_on=going_on)
            _seal(packed, SealedFile(unfinished, rate, recordings.keys.read(call_id), form=form))
        else:
            with open(open_private(unfinished), "wb") as file:
                _pack().encode(sound, rate, form, file, going_on=going_on)
        _settle(unfinished, target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    recording.path.unlink()
    return target


def converted(recordings: Recordings, recording: Recording, form: str) -> Iterator[bytes]:
    """Give a recording as a file of `form`, decrypted. Raises MediaError, MissingExtra."""
    if recording.form == form:
        content = recordings.content(recording)
        if form == "wav":
            yield _begun(recording, content)
        yield from content
        return
    rate, sound = samples(recordings, recording)
    if form == "wav":
        whole = b"".join(sound)
        yield wav_header(len(whole), rate)
        yield whole
    else:
        packed = io.BytesIO()
        _pack().encode(sound, rate, form, packed)
        yield packed.getvalue()


def samples(recordings: Recordings, recording: Recording) -> tuple[int, Iterator[bytes]]:
    """Give the rate in Hz of a recording, and its 16-bit PCM of two channels, interleaved."""
    content = recordings.content(recording)
    if recording.form != "wav":
        return _decoded(content)
    begun = _begun(recording, content)

    def sound() -> Iterator[bytes]:
        yield begun[HEADER_SIZE:]
        yield from content

    return _rate(begun), sound()


def _begun(recording: Recording, content: Iterator[bytes]) -> bytes:
    """Take the header of a WAV file, and what came with it. Raises MediaError where it is none."""
    begun = b""
    while len(begun) < HEADER_SIZE:
        piece = next(content, b"")
        if not piece:
            raise MediaError(f"{recording.path} is no WAV file: it is cut short")
        begun += piece
    if not (begun.startswith(b"RIFF") and begun[_KIND_AT] == _KIND and _rate(begun) in _RATES):
        raise MediaError(f"{recording.path} is no WAV file of ours: damaged, or another's")
    return begun


def _rate(header: bytes) -> int:
    return int.from_bytes(header[_RATE_AT], "little")


def _decoded(content: Iterator[bytes]) -> tuple[int, Iterator[bytes]]:
    decoded: tuple[int, Iterator[bytes]] = _pack().decode(io.BytesIO(b"".join(content)))
    return decoded


def _seal(packed: io.BytesIO, file: SealedFile) -> None:
    try:
        packed.seek(0)
        while piece := packed.read(CHUNK):
            file.append(piece)
    finally:
        file.close()


def _settle(unfinished: Path, target: Path) -> None:
    """Let the new file have its name once the disk has all of it."""
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(target)


def _pack() -> Any:
    check_form("flac")
    return import_module("opensip.media.recording_pack")
