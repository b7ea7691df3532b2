import pytest

from opensip.errors import ConfigError
from opensip.phone.script import Keys, Say, Tone, Wait, parse_step, written


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("where is my order", Say("where is my order")),
        ("say:keys:1", Say("keys:1")),
        ("listen: it broke", Say("listen: it broke")),
        ("a person | an agent |someone", Say("a person", ("an agent", "someone"))),
        ("say:yes|right", Say("yes", ("right",))),
        ("keys:12*#A", Keys("12*#A")),
        ("wait:2.5", Wait(2.5)),
        ("tone:440", Tone(440, 2)),
        ("tone:440/3", Tone(440, 3)),
    ],
)
def test_reads(text, step):
    assert parse_step(text) == step


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("keys:", "keys:1234"),
        ("keys:12x", "keys:1234"),
        ("keys:abc", "of 0 to 9, .*; say:keys:abc speaks it"),
        ("wait:soon", "wait:2.5"),
        ("wait:", "wait:2.5"),
        ("tone:", "tone:440"),
        ("tone:1/2/3", "tone:440/3"),
        ("tone:1", "50 to 3800 Hz"),
        ("tone:9000/2", "50 to 3800 Hz"),
        ("tone:440/0", "more than 0 seconds"),
    ],
)
def test_tells_how_it_should_be(text, example):
    with pytest.raises(ConfigError, match=f"is no step: .*{example}"):
        parse_step(text)


@pytest.mark.parametrize("text", ["", "|", "a person |", "say:| an agent"])
def test_no_side_of_a_bar_is_without_words(text):
    with pytest.raises(ConfigError, match=r"no words to say on a side of \|"):
        parse_step(text)


@pytest.mark.parametrize("text", ["hello", "a | b", "keys:12#", "wait:2.5", "tone:440/3"])
def test_steps_are_written_as_they_were_given(text):
    assert written(parse_step(text)) == text
