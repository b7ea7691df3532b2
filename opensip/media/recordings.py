"""The recordings of a data directory: how one is begun, found, read and erased."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from opensip.errors import MediaError
from opensip.events import Observer
from opensip.media.recorder import Recorder
from opensip.media.recording_file import WavFile, wav_header
from opensip.media.recording_key import KeyFolder, MasterKey
from opensip.media.recording_sealed import SealedFile, SealedReader
from opensip.media.recording_writer import AtOnce, Writer

FORMS = ("wav", "flac", "opus")  # of a recording once its call is over
SEALED = ".sealed"  # what the names of encrypted files end in
UNFINISHED = ".part"  # and those of files that are not whole yet
_PIECE = 65536  # bytes read at once


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording on disk. `whole` is False where a crash or a full disk cut it off."""

    call_id: str
    path: Path
    form: str
    sealed: bool
    whole: bool = True


class Recordings:
    """Recordings under `data`/recordings, their keys under `data`/keys, named by call ids.

    With `masters` new ones are encrypted, under the first. `writer` writes them: a thread where
    calls go on meanwhile.
    """

    def __init__(
        self, data: Path, masters: Sequence[MasterKey] = (), writer: Writer | None = None
    ) -> None:
        base = Path(os.path.abspath(data))
        self.folder = base / "recordings"
        self.keys = KeyFolder(base / "keys", masters)
        self._writer: Writer = AtOnce() if writer is None else writer

    def recorder(self, call_id: str, rate: int, observer: Observer) -> Recorder:
        """Make the recorder of a call."""
        path = self.path(call_id, "wav", sealed=self.keys.seals)

        def open_sealed(path: Path, rate: int) -> SealedFile:
            key = self.keys.create(call_id)
            try:
                return SealedFile(path, rate, key)
            except OSError:
                with suppress(OSError):
                    self.keys.erase(call_id)  # it is of no recording
                raise

        open_file = open_sealed if self.keys.seals else WavFile
        return Recorder(path, rate, observer=observer, open_file=open_file, writer=self._writer)

    def close(self) -> None:
        """Have written what is left, once all calls are over."""
        self._writer.close()

    def path(self, call_id: str, form: str, *, sealed: bool) -> Path:
        """Tell where a recording of that form belongs."""
        return self.folder / f"{call_id}.{form}{SEALED * sealed}"

    def find(self, call_id: str) -> Recording:
        """Find the recording of a call. Raises MediaError where there is none."""
        found = list(self._files(call_id))
        if not found:
            raise MediaError(f"there is no recording of a call {call_id!r} in {self.folder}")
        form, sealed, path = found[-1]  # packed, where that was done but not yet tidied up
        whole = SealedReader(path).whole if sealed else True
        return Recording(call_id, path, form, sealed, whole)

    def content(self, recording: Recording) -> Iterator[bytes]:
        """Read a recording as a file of its form, decrypted. Raises MediaError, ConfigError."""
        if not recording.sealed:
            yield from _read(recording.path)
            return
        key = self.keys.read(recording.call_id)
        reader = SealedReader(recording.path)
        if reader.form == "wav":
            yield wav_header(reader.size, reader.rate)
        yield from reader.content(key)

    def erase(self, call_id: str) -> list[Path]:
        """Erase a call's recording: first its key, then its files; gives those that are gone.

        Files that are not whole yet go too, and whoever writes one notices.

        Raises MediaError where there is nothing, or something cannot be erased.
        """
        gone = []
        try:
            if self.keys.erase(call_id):
                gone.append(self.keys.path(call_id))
            for path in sorted(self.folder.glob(f"{escape(call_id)}.*")):
                path.unlink()
                gone.append(path)
        except OSError as error:
            raise MediaError(f"the recording of {call_id} cannot be erased: {error}") from error
        if not gone:
            raise MediaError(f"there is no recording of a call {call_id!r} in {self.folder}")
        return gone

    def sweep(self) -> list[Path]:
        """Remove what a crash left of files that were not whole yet; gives those that are gone.

        Only for whoever alone writes here, before any recording is packed. Raises OSError.
        """
        left = list(self.folder.glob(f"*{UNFINISHED}"))
        for path in left:
            path.unlink(missing_ok=True)
        return left

    def names(self) -> list[str]:
        """Tell the call ids of all recordings, the newest first."""
        times: dict[str, float] = {}
        for path in self.folder.glob("*"):
            with suppress(OSError):
                times[path.name.partition(".")[0]] = path.stat().st_mtime
        return sorted(times, key=lambda name: times[name], reverse=True)

    def _files(self, call_id: str) -> Iterator[tuple[str, bool, Path]]:
        for form in FORMS:
            for sealed in (False, True):
                path = self.path(call_id, form, sealed=sealed)
                if path.is_file():
                    yield form, sealed, path


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}") from error
