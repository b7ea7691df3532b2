"""Packs recordings once their calls are over, one after the other, beside the calls."""

import asyncio
import contextlib
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import structlog

from opensip.call.amend import amending
from opensip.errors import OpenSipError
from opensip.events import RecordingPacked
from opensip.media.recording_convert import pack
from opensip.media.recordings import Recordings

log = structlog.get_logger(__name__)

_NICE = 10  # calls come first


class Packer:
    """Packs what `add` names, in one thread of little weight. `close` it: what waits stays WAV."""

    def __init__(self, data: Path, recordings: Recordings) -> None:
        self._data = data
        self._recordings = recordings
        self._thread = ThreadPoolExecutor(1, "opensip-packer", _be_nice)
        self._closed = False
        self._last: Future[None] | None = None

    def add(self, call_id: str, form: str) -> None:
        """Have a recording packed whose call and books are closed."""
        if not self._closed:
            self._last = self._thread.submit(self._pack, call_id, form)

    async def drained(self) -> None:
        """Wait until all that was added is packed."""
        if self._last is not None:
            await asyncio.wait([asyncio.wrap_future(self._last)])

    def close(self) -> None:
        """Stop at once."""
        self._closed = True
        self._thread.shutdown(cancel_futures=True)

    def _pack(self, call_id: str, form: str) -> None:
        try:
            with amending(self._data, call_id) as note:
                path = pack(self._recordings, call_id, form, going_on=lambda: not self._closed)
                note(RecordingPacked(0.0, str(path)))
        # A recording that anything is wrong with stays as it is, and the next one is packed.
        except (OpenSipError, OSError) as error:
            log.warning("recording_unpacked", call_id=call_id, form=form, why=str(error))
        except Exception:  # a foreign codec's: nobody would read it off the thread
            log.exception("recording_unpacked", call_id=call_id, form=form)
        else:
            log.info("recording_packed", call_id=call_id, form=form)


def _be_nice() -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
