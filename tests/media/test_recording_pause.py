import numpy as np

from opensip.events import RecordingPaused, RecordingResumed
from opensip.media.recording_pause import Pauses


class Notes(list):
    note = list.append


def test_a_pause_is_noted_once_and_so_is_its_end():
    notes = Notes()
    pauses = Pauses(notes)
    pauses.end(now=0.5)
    for now in (1.0, 1.1):
        pauses.begin(now=now)
        assert pauses.lasting
    for now in (2.0, 2.1):
        pauses.end(now=now)
        assert not pauses.lasting
    pauses.begin(now=3.0)
    assert notes == [RecordingPaused(1.0), RecordingResumed(2.0), RecordingPaused(3.0)]


def test_what_fell_into_a_pause_is_silent_and_its_giver_keeps_it():
    pauses = Pauses(Notes())
    given = np.ones(10, np.int16)
    assert pauses.spared(given, at=0.0, rate=10).tolist() == [1] * 10
    pauses.begin(now=0.25)
    pauses.end(now=0.5)
    pauses.begin(now=0.8)
    assert pauses.spared(given, at=0.0, rate=10).tolist() == [1, 1, 0, 0, 0, 1, 1, 1, 0, 0]
    assert pauses.spared(given, at=0.5, rate=10).tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    assert given.tolist() == [1] * 10
