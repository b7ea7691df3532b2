import pytest

from opensip.agent.read_back import LONGEST, read_back, value_aloud
from opensip.errors import ToolError


@pytest.mark.parametrize(
    ("value", "aloud"),
    [
        ("4217", "4 2 1 7"),
        ("4217421742174217", "4 2 1 7, 4 2 1 7, 4 2 1 7, 4 2 1 7"),
        ("ada@example.com", "ada@example.com"),  # the voice's side writes that out
        (12.5, "12.5"),
        (True, "yes"),
        (None, ""),
        (["a", "4217", None], "a, 4 2 1 7"),
        ({"street_name": "Harbor", "no": None}, "street name Harbor"),
    ],
)
def test_values_are_written_as_they_are_to_be_heard(value, aloud):
    assert value_aloud(value) == aloud


def test_what_is_done_is_told_with_every_argument():
    given = {"number": "4217", "pay_back": True, "why": None}
    assert read_back("cancel_order", given) == "cancel order, number 4 2 1 7, pay back yes"
    text = "I cancel the order {number}.  {why} {strange}"
    assert read_back("cancel_order", given, text) == "I cancel the order 4 2 1 7"


def test_what_is_too_long_to_be_heard_is_refused():
    with pytest.raises(ToolError, match=rf"write: .* 311 characters .*\({LONGEST} at most\)"):
        read_back("write", {"text": "x" * 299})
