"""The detectors on flite voices, as scripts/bench voice_activity measures them."""

import shutil

import pytest

from opensip.agent.voice_activity import DETECTORS, missing
from scripts.benches.voice_activity.bench import decisions, judged
from scripts.benches.voice_activity.sounds import scenes

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed"),
]
WITHIN = {  # the most: p95 of onset and end in ms, sentences cut, false starts a minute
    "clean": {"silero": (250, 60, 2, 0), "webrtc": (80, 60, 1, 0), "energy": (80, 60, 1, 0)},
    "pink": {"silero": (280, 80, 4, 1), "webrtc": (250, 80, 4, 2), "energy": (280, 80, 6, 2)},
    "babble": {"silero": (250, 280, 4, 6), "webrtc": (280, 330, 4, 15), "energy": (280, 80, 6, 6)},
}
FALSE_ALONE = {"pink alone": 2, "coughs": 2, "music": 2}  # of silero, a minute


@pytest.fixture(scope="module")
def heard():
    return scenes(1)


@pytest.mark.parametrize("name", [name for name in DETECTORS if not missing(name)])
@pytest.mark.parametrize("kind", WITHIN)
def test_voices_are_found_soon_and_left_soon(heard, kind, name):
    onset, end, cuts, false = WITHIN[kind][name]
    row = judged(decisions(name, heard[kind]), heard[kind], decisions("energy", heard["clean"]))
    assert row["missed"] == 0
    assert row["onset_p95"] <= onset
    assert row["end_p95"] <= end
    assert row["cuts"] <= cuts
    assert row["false_per_min"] <= false


@pytest.mark.skipif(bool(missing("silero")), reason="the extra vad is not installed")
@pytest.mark.parametrize("kind", FALSE_ALONE)
def test_silero_takes_no_noise_for_a_voice(heard, kind):
    row = judged(decisions("silero", heard[kind]), heard[kind], [])
    assert row["false_per_min"] <= FALSE_ALONE[kind]
