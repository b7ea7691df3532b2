import pytest

from opensip.errors import ConfigError
from opensip.phone.script import Keys, Say, Tone, Wait, parse_step


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("where is my order", Say("where is my order")),
        ("say:keys:1", Say("keys:1")),
        ("listen: it broke", Say("listen: it broke")),
        ("a person | an agent |someone", Say("a person", ("an agent", "someone"))),
        ("say:yes|right", Say("yes", ("right",))),
        ("keys:12*#a", Keys("12*#A")),
        ("wait:2.5", Wait(2.5)),
        ("tone:440", Tone(440, 2)),
        ("tone:440/3", Tone(440, 3)),
    ],
)
def test_reads(text, step):
    assert parse_step(text) == step


@pytest.mark.parametrize("text", ["keys:", "keys:12x", "wait:soon", "tone:", "tone:1/2/3", "wait:"])
def test_tells_how_it_should_be(text):
    with pytest.raises(ConfigError, match="is no step: keys:1234"):
        parse_step(text)


@pytest.mark.parametrize("text", ["", "|", "a person |", "say:| an agent"])
def test_no_side_of_a_bar_is_without_words(text):
    with pytest.raises(ConfigError, match=r"no words to say on a side of \|"):
        parse_step(text)
