import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.pronounced import cardinal, ordinal, pronounced


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It costs $1,234.50.", "It costs one thousand two hundred thirty-four dollars and fifty"
         " cents."),
        ("$1", "one dollar"),
        ("On 2026-11-24 at 17:30.", "On November 24, 2026 at 5 30 in the afternoon."),
        ("See you at 5:30 this afternoon", "See you at 5 30 this afternoon"),
        ("$5k, €1.5M or 2.5bn £", "five thousand dollars, one point five million euros or"
         " two point five billion pounds"),
        ("$12,345,678 and $3.999", "twelve million three hundred forty-five thousand six hundred"
         " seventy-eight dollars and three point nine nine nine dollars"),
        ("£2.5 k", "two pounds and fifty pence k"),
        ("€0.05 or £0.01", "five cents or one penny"),
        ("£2.02", "two pounds and two pence"),
        ("$2.5 million", "two point five million dollars"),
        ("12.50 € please", "twelve euros and fifty cents please"),
        ("Write to bob.x@example.com.", "Write to bob dot x at example dot com."),
        ("See example.com!", "See example dot com!"),
        ("Call +1 919 555 1234 or (919) 555-1234.",
         "Call plus one, nine one nine, five five five, one two three four or"
         " nine one nine, five five five, one two three four."),
        ("Your code is AB-12.", "Your code is A B dash one two."),
        ("Order 0417 or 42170", "Order zero four one seven or four two one seven zero"),
        ("the 1st, 2nd, 3rd and 21st", "the first, second, third and twenty-first"),
        ("15% of 3.14", "15 percent of three point one four"),
        ("1,234,567 people", "one million two hundred thirty-four thousand five hundred"
         " sixty-seven people"),
        ("20 °C and 5 km", "20 degrees Celsius and 5 kilometers"),
        ("Room #5 & 6", "Room number 5 and 6"),
        ("in 2026, 42 of 9", "in 2026, 42 of 9"),
        ("version 1.2.3", "version 1.2.3"),
    ],
)  # fmt: skip
def test_how_things_are_said(text, said):
    assert pronounced(text) == said


def test_other_languages_are_left_to_the_voice():
    assert pronounced("Das kostet 5,50 €.", "de-DE") == "Das kostet 5,50 €."


def test_numbers():
    assert cardinal(0) == "zero"
    assert cardinal(110) == "one hundred ten"
    assert cardinal(1_000_001) == "one million one"
    assert cardinal(10**15) == " ".join(["one", *["zero"] * 15])
    assert [ordinal(n) for n in (5, 8, 9, 12, 20, 100)] == [
        "fifth", "eighth", "ninth", "twelfth", "twentieth", "one hundredth",
    ]  # fmt: skip


@given(st.text(alphabet=st.sampled_from("019$€£.,-+@%#& AB°Cst(com)"), max_size=40))
def test_anything_is_said_on_one_line_without_error(text):
    said = pronounced(text)
    assert said == " ".join(said.split())


@given(st.integers(0, 10**15))
def test_every_number_is_words(number):
    assert all(part.isalpha() for part in cardinal(number).replace("-", " ").split())
