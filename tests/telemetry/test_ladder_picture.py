import pytest

from opensip.telemetry.ladder import Ladder, Party, read_ladder
from opensip.telemetry.ladder_picture import STYLE, Picture, shown
from tests.fakes.journals import line, opened, transferred


def picture():
    return Picture(read_ladder(transferred()))


def test_a_strip_a_step_and_one_a_pause():
    strips = list(picture().strips())
    steps = [strip.step for strip in strips if strip.step is not None]
    assert steps == list(read_ladder(transferred()).steps)
    assert len(strips) - len(steps) == 2  # before the agent's sentence, and the caller's
    assert all(strip.height >= 20 for strip in strips)


def test_each_kind_has_its_form():
    marked = "".join(strip.markup for strip in picture().strips())
    for form in ("arrow request", "arrow told", "band", "bubble us", "bubble peer", "pill fault"):
        assert f'"{form}"' in marked
        assert all(f".{word}" in STYLE for word in form.split())


def test_heads_name_the_parties():
    markup = picture().heads().markup
    assert markup.count("<rect") == 3
    assert "+15551112222" in markup
    assert 'class="head us"' in markup


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_every_number_of_parties_has_room(count):
    parties = tuple(Party(f"leg{n}", "x" * 90, "y" * 90) for n in range(count))
    drawn = Picture(Ladder("c", "", "", parties, ()))
    assert drawn.width >= 210 * count
    assert "…" in drawn.heads().markup


def test_long_words_grow_the_strip():
    def height(text):
        said = line(0.0, "agent_said", text=text, heard=text, interrupted=False)
        (strip,) = Picture(read_ladder([opened(), said])).strips()
        return strip.height

    assert height("word " * 200) > 5 * height("word")


def test_markup_of_strangers_is_text():
    assert (
        shown("<script>&\"'\x00\ud800\x1b") == "&lt;script&gt;&amp;&quot;&#x27;\ufffd\ufffd\ufffd"
    )
