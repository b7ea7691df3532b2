import asyncio
import json

import numpy as np
import structlog

from opensip.call.packing import Packer
from opensip.events import Silent
from opensip.media.recordings import Recordings
from tests.fakes.journals import transferred


def prepared(data):
    """Make a recording of a call that is over, and its journal."""
    recordings = Recordings(data)
    recorder = recordings.recorder("c-1", 8000, Silent())
    recorder.start(now=0.0)
    recorder.heard(np.arange(800, dtype=np.int16), at=0.0)
    recorder.close(now=0.1)
    (data / "journals").mkdir()
    (data / "journals/c-1.jsonl").write_text("\n".join(transferred()) + "\n")
    return recordings


def pack(data, *calls, form):
    async def main():
        packer = Packer(data, prepared(data))
        for call in calls:
            packer.add(call, form)
        await packer.drained()
        packer.close()
        packer.add("c-1", form)  # too late: nothing happens

    with structlog.testing.capture_logs() as logs:
        asyncio.run(main())
    return [(line["event"], line["call_id"]) for line in logs]


def test_a_recording_in_its_form_is_noted(tmp_path):
    assert pack(tmp_path, "c-1", form="wav") == [("recording_packed", "c-1")]
    line = json.loads((tmp_path / "journals/c-1.jsonl").read_text().splitlines()[-1])
    assert (line["kind"], line["path"]) == (
        "recording_packed",
        str(tmp_path / "recordings/c-1.wav"),
    )


def test_one_that_is_not_there_keeps_no_other_waiting(tmp_path):
    logs = pack(tmp_path, "c-2", "c-1", form="wav")
    assert ("recording_unpacked", "c-2") in logs
    assert ("recording_packed", "c-1") in logs


def test_nothing_to_pack_is_nothing_to_wait_for(tmp_path):
    async def main():
        packer = Packer(tmp_path, Recordings(tmp_path))
        await packer.drained()
        packer.close()

    asyncio.run(main())
