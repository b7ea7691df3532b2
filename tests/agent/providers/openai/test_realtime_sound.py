import base64

import numpy as np
import pytest

from opensip.agent.providers.openai.realtime_sound import RATES, decoded, described, encoded
from opensip.audio.tones import tone


@pytest.mark.parametrize("form", RATES)
def test_what_is_sent_is_what_comes_back(form):
    said = tone(400, 0.1, RATES[form], level_dbfs=-20)
    octets = base64.b64decode(encoded(said, form))
    assert len(octets) == len(said) * (2 if form == "pcm" else 1)
    assert np.abs(decoded(octets, form) - said.astype(int)).max() < 130


def test_half_a_sample_is_left_out_and_only_pcm_tells_its_rate():
    assert decoded(b"\1\0\2", "pcm").tolist() == [1]
    assert described("pcm") == {"type": "audio/pcm", "rate": 24000}
    assert described("pcmu") == {"type": "audio/pcmu"}
