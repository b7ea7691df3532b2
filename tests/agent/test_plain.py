import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.plain import plain, writable


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("**Yes**, it is *really* __here__.", "Yes, it is really here."),
        ("## Opening hours", "Opening hours"),
        ("- Monday\n- Tuesday", "Monday, Tuesday"),
        ("1. First\n2. Second", "1. First, 2. Second"),
        ("See [our site](https://example.com/a_b?c=d#e).", "See our site."),
        ("See https://example.com/a.b?c=1, please.", "See, please."),
        ("Look at www.example.com.", "Look."),
        ("Look at example.com/help?x=1, then call.", "Look, then call."),
        ("Ask and/or write to example.com.", "Ask and/or write to example.com."),
        ("Great! 🎉👍🏽 See you ☎️ soon 👨‍👩‍👧.", "Great! See you soon."),
        ("Use `print()` now.", "Use print() now."),
        ("```python\nprint(1)\n```", ""),
        ("It is <b>bold</b> and <br/> so on.", "It is bold and so on."),
        ("<think>Should I?</think>No.", "No."),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b, 1, 2"),
        ("3 * 4 = 12, and 5 > 4", "3 4 = 12, and 5 4"),
        ("snake_case and a_b_c stay", "snake_case and a_b_c stay"),
        ("$12.50, 20 °C & 5 %", "$12.50, 20 °C & 5 %"),
        ("Grüße, señor: 你好!", "Grüße, señor: 你好!"),
        ("***", ""),
        ("🙂", ""),
        ("\\*not bold\\*", "not bold"),
    ],
)
def test_what_is_said(text, words):
    assert plain(text) == words


@given(st.text(max_size=200))
def test_anything_becomes_one_printable_line(text):
    words = plain(text)
    assert words == " ".join(words.split())
    assert words.isprintable()


def test_half_a_character_is_replaced_for_no_request_can_carry_it():
    assert writable("M\u00fcller \ud83d") == "M\u00fcller ?"
    assert writable("\U0001f600") == "\U0001f600"
    assert writable("plain") == "plain"
