import pytest

_engine = pytest.importorskip("opensip.media._engine")

from opensip.media.wish import Wish  # noqa: E402 - where the engine is


class Owner:
    loud = Wish(lambda core, wanted: core.append(("loud", wanted)), False)
    long = Wish(lambda core, wanted: core.append(("long", wanted)), 0)

    def __init__(self):
        self.core = []


def test_a_wish_is_kept_and_told():
    one, other = Owner(), Owner()
    assert not one.loud
    one.loud = True
    assert (one.loud, one.long, other.loud) == (True, 0, False)
    one.loud = False
    assert one.core == [("loud", True), ("loud", False)]
    assert other.core == []
