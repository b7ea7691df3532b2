import numpy as np
import pytest

from opensip.audio.frame import AudioFrame
from opensip.audio.level import SILENCE_DBFS, dbfs, levels, pieces


def test_full_scale_square_is_0_and_a_full_sine_3_below():
    square = np.array([32767, -32768] * 80, np.int16)
    assert dbfs(square) == pytest.approx(0, abs=0.001)
    sine = (32767 * np.sin(2 * np.pi * np.arange(800) / 80)).astype(np.int16)
    assert dbfs(sine) == pytest.approx(-3.01, abs=0.01)


def test_silence_has_a_floor():
    assert dbfs(np.zeros(160, np.int16)) == SILENCE_DBFS
    assert dbfs(np.zeros(0, np.int16)) == SILENCE_DBFS
    faint = np.zeros(16000, np.int16)
    faint[0] = 1
    assert dbfs(faint) == SILENCE_DBFS


def test_half_the_amplitude_is_6_db_less():
    loud = np.full(160, 8000, np.int16)
    assert dbfs(loud) - dbfs(loud // 2) == pytest.approx(6.02, abs=0.01)


def test_levels_of_pieces_are_those_of_each():
    sound = (1000 * np.sin(np.arange(500))).astype(np.int16)
    sound[160:320] = 0
    pieces = sound[:160], sound[160:320], sound[320:480], sound[480:]
    assert levels(sound, 160) == pytest.approx([dbfs(piece) for piece in pieces], abs=1e-3)
    assert levels(sound[:320], 160)[1] == SILENCE_DBFS
    assert levels(sound[:0], 160) == []


def test_a_batch_is_cut_into_pieces_with_their_own_levels():
    loud = np.full(160, 8000, np.int16)
    batch = AudioFrame(1.0, np.concatenate([loud, loud * 0, loud]), 8000, -20.0)
    found = list(pieces(batch))
    assert [round(frame.at, 2) for frame in found] == [1.0, 1.02, 1.04]
    assert [frame.level_dbfs > -20 for frame in found] == [True, False, True]
    assert list(pieces(found[0])) == [found[0]]
