import pytest

from opensip.agent.spoken import Row, Word, aloud, clauses, digits, fill


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("at 9:00", "at 9 o'clock in the morning"),
        ("at 17:30", "at 5 30 in the afternoon"),
        ("at 20:05", "at 8 oh 5 in the evening"),
        ("12:00 and 0:00", "noon and midnight"),
        ("at 5:30 pm.", "at 5 30 in the afternoon."),
        ("5:30 a.m. or 12:05 AM", "5 30 in the morning or 12 oh 5 in the morning"),
        ("12:00 pm, 12:00 am, 9:15PM", "noon, midnight, 9 15 in the evening"),
        ("at 9:00 a man came", "at 9 o'clock in the morning a man came"),
        ("$12.50", "12 dollars and 50 cents"),
        ("$1", "1 dollar"),
        ("$0.01", "1 cent"),
        ("on 2026-11-18", "on November 18"),
        ("on 2026-13-18 at 29:99", "on 2026-13-18 at 29:99"),
    ],
)
def test_times_money_and_dates(text, spoken):
    assert aloud(text) == spoken


def test_digits_one_by_one():
    assert digits("4017") == "four zero one seven"


def test_templates_fill_what_is_known_and_leave_out_the_rest():
    values = {"order": Word("42")}
    assert fill("{order}, {order:digits}{nobody}{no.body:digits}.", values) == "42, four two."


def test_clauses_are_long_enough_to_sound_whole():
    text = "I am sorry, I found no order. Please say the four digits again, or ask for a person."
    assert " ".join(clauses(text)) == text
    assert all(len(clause) >= 25 for clause in clauses(text)[:-1])
    assert clauses("") == []


def test_a_column_that_one_row_lacks_is_left_out():
    assert fill("{orders.item}{orders.note}.", {"orders": Row(item="a lamp")}) == "a lamp."
