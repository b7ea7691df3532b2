import numpy as np

from opensip.agent.providers.openai.pieces import Pieces


def frame(value):
    return np.full(160, value, np.int16)


def fed(pieces, *values):
    found = [pieces.feed(frame(value)) for value in values]
    return [list(piece[::160]) for piece in found if piece is not None]


def test_ten_pieces_a_second_and_the_rest_when_it_is_asked_for():
    pieces = Pieces(8000, gated=False)
    assert fed(pieces, 1, 2, 3, 4, 5, 6, 7) == [[1, 2, 3, 4, 5]]
    assert list(pieces.rest()[::160]) == [6, 7]
    assert pieces.rest() is None


def test_of_what_is_before_a_voice_a_moment_is_kept():
    pieces = Pieces(8000, gated=True)
    assert fed(pieces, *range(50)) == []
    pieces.open = True
    [first] = fed(pieces, 50)
    assert first == list(range(35, 51))  # 0.3 s, and the frame that came


def test_what_was_committed_is_let_go_once_it_is_understood():
    pieces = Pieces(8000, gated=True)
    pieces.open = True
    pieces.kept.extend(map(frame, (1, 2)))
    pieces.commit()
    pieces.kept.append(frame(3))
    pieces.understood()
    assert [piece[0] for piece in pieces.kept] == [3]
    pieces.understood()
    assert len(pieces.kept) == 1
    fed(pieces, 4)
    pieces.forget()
    assert (pieces.open, len(pieces.kept), pieces.rest()) == (False, 0, None)
