"""Recordings are written beside the loop: a disk that sleeps or fails holds up no call."""

import asyncio
import threading

import numpy as np
import pytest

from opensip.events import RecordingStarted, RecordingStopped
from opensip.media import recorder as recorder_module
from opensip.media.recorder import PATIENCE, TOO_SLOW, Recorder
from opensip.media.recording_writer import MOST_WAITING, AtOnce, WriterThread
from tests.fakes.virtual_time_loop import VirtualTimeLoop


class Notes(list):
    """What was noted, and that it was noted where the calls are."""

    def note(self, event):
        assert threading.current_thread() is threading.main_thread()
        self.append(event)

    @property
    def said(self):
        return [(type(event), getattr(event, "error", "")) for event in self]


class Disk:
    """A file on a disk that sleeps until it is woken, and may fail then."""

    def __init__(self, error=None):
        self.awake, self.error = threading.Event(), error
        self.sound, self.is_open = b"", False

    def open(self, path, rate):
        self.is_open = True
        return self

    def append(self, sound):
        assert self.awake.wait(10)
        if self.error is not None:
            raise self.error
        self.sound += sound

    def close(self):
        self.is_open = False


class Shelf:
    """A writer that does its jobs when a test wants it."""

    def __init__(self):
        self.jobs, self.is_full = [], False

    def do(self, job, size=0):
        if self.is_full and size:
            return False
        self.jobs.append(job)
        return True

    def tell(self, news):
        news()

    def work(self):
        while self.jobs:
            self.jobs.pop(0)()


def hear(recorder, tenths, first=0):
    for n in range(first, tenths):
        recorder.heard(np.full(800, n + 1, np.int16), at=n / 10)
        recorder.flush(now=(n + 1) / 10)


@pytest.fixture(autouse=True)
def room(monkeypatch):
    monkeypatch.setattr(recorder_module, "has_room", lambda path: True)


def whole(tenths):
    """What a recording of so much holds."""
    disk = Disk()
    disk.awake.set()
    recorder = Recorder("x.wav", open_file=disk.open)
    recorder.start(now=0.0)
    hear(recorder, tenths)
    recorder.close(now=tenths / 10)
    return disk.sound


def test_a_disk_that_sleeps_through_a_call_holds_up_nothing_and_loses_nothing():
    disk, notes = Disk(), Notes()

    async def main():
        loop = asyncio.get_running_loop()
        writer = WriterThread(loop.call_soon_threadsafe)
        recorder = Recorder("x.wav", observer=notes, open_file=disk.open, writer=writer)
        recorder.start(now=0.0)
        hear(recorder, 100)  # would wait for ever if it waited: nobody wakes the disk meanwhile
        assert (recorder.running, disk.sound) == (True, b"")
        recorder.close(now=10.0)
        closing = asyncio.create_task(recorder.closed())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not closing.done()
        disk.awake.set()
        await closing
        writer.close()

    asyncio.run(main())
    assert notes.said == [(RecordingStarted, ""), (RecordingStopped, "")]
    assert not disk.is_open
    assert disk.sound == whole(100)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("no cipher")])
def test_an_error_of_the_disk_comes_back_to_the_loop(error):
    disk, notes = Disk(error), Notes()
    disk.awake.set()

    async def main():
        loop = asyncio.get_running_loop()
        writer = WriterThread(loop.call_soon_threadsafe)
        recorder = Recorder("x.wav", observer=notes, open_file=disk.open, writer=writer)
        recorder.start(now=0.0)
        hear(recorder, 10)
        await recorder.closed()
        assert not recorder.running
        hear(recorder, 20, first=10)
        recorder.close(now=2.0)
        writer.close()

    asyncio.run(main())
    assert notes.said == [(RecordingStarted, ""), (RecordingStopped, str(error))]
    assert (disk.is_open, disk.sound) == (False, b"")


def test_a_file_that_cannot_be_opened_is_told_on_the_loop(tmp_path):
    notes, blocker = Notes(), tmp_path / "file"
    blocker.write_text("no directory")

    async def main():
        loop = asyncio.get_running_loop()
        writer = WriterThread(loop.call_soon_threadsafe)
        recorder = Recorder(blocker / "x.wav", observer=notes, writer=writer)
        recorder.start(now=0.0)
        assert recorder.running
        recorder.close(now=1.0)
        await recorder.closed()
        writer.close()

    asyncio.run(main())
    [(kind, error)] = notes.said
    assert kind is RecordingStopped
    assert "file" in error


def test_where_too_much_waits_the_recording_stops_and_what_waits_is_kept():
    shelf, disk, notes = Shelf(), Disk(), Notes()
    recorder = Recorder("x.wav", observer=notes, open_file=disk.open, writer=shelf)
    recorder.start(now=0.0)
    hear(recorder, 20)
    shelf.is_full = True
    hear(recorder, 40, first=20)
    assert not recorder.running
    assert notes.said == [(RecordingStopped, TOO_SLOW)]
    disk.awake.set()
    shelf.work()
    assert not disk.is_open
    assert 4 * 800 * 14 < len(disk.sound) <= 4 * 800 * 20
    assert disk.sound == whole(40)[: len(disk.sound)]
    assert notes.said == [(RecordingStopped, TOO_SLOW)]


@pytest.mark.parametrize("leaves", [False, True])
def test_books_wait_for_a_disk_that_never_wakes_no_longer_than_they_may(leaves):
    shelf, disk, notes = Shelf(), Disk(), Notes()

    async def main():
        recorder = Recorder("x.wav", observer=notes, open_file=disk.open, writer=shelf)
        await recorder.closed()  # which never began
        recorder.start(now=0.0)
        shelf.work()
        hear(recorder, 20)
        recorder.close(now=2.0)
        closing = asyncio.create_task(recorder.closed())
        await asyncio.sleep(PATIENCE - 0.1)
        assert len(notes) == 1
        if leaves:
            closing.cancel()
        await asyncio.wait({closing})
        assert asyncio.get_running_loop().time() <= PATIENCE

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main())
    assert notes.said == [(RecordingStarted, ""), (RecordingStopped, TOO_SLOW)]
    assert notes[1].at == 2.0
    shelf.work()  # it wakes at last: nobody waits for it any more
    assert (disk.is_open, disk.sound, len(notes)) == (False, b"", 2)


def test_the_thread_does_all_in_order_and_lets_no_more_wait_than_may():
    assert MOST_WAITING == 64 << 20
    done, gate = [], threading.Event()
    writer = WriterThread(lambda news: news(), most=100)
    writer.do(lambda: done.append(gate.wait(10)))
    assert [writer.do(lambda: done.append("60"), 60), writer.do(lambda: done.append("40"), 40)] == [
        True,
        True,
    ]
    assert not writer.do(lambda: done.append("1"), 1)
    assert writer.do(lambda: done.append("0"))  # to close a file there is always room
    gate.set()
    writer.close()
    assert done == [True, "60", "40", "0"]


def test_who_never_wrote_has_no_thread_to_end():
    WriterThread(lambda news: None).close()
    AtOnce().close()


def test_news_for_a_loop_that_is_closed_is_no_error():
    loop = asyncio.new_event_loop()
    loop.close()
    WriterThread(loop.call_soon_threadsafe).tell(lambda: None)
