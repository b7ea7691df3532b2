import pytest

from opensip.agent.spoken import Row, aloud, fill


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("at 9:00", "at 9 o'clock"),
        ("at 17:30", "at 5 30 in the afternoon"),
        ("at 20:05", "at 8 oh 5 in the evening"),
        ("12:00 and 0:00", "12 o'clock and midnight"),
        ("See you at 5:30 this afternoon", "See you at 5 30 this afternoon"),
        ("at 7:15 tonight", "at 7 15 tonight"),
        ("at 0:30, or 12:30", "at 12 30 in the morning, or 12 30"),
        (
            "From 2:30 to 4:30 PM",
            "From 2 30 in the afternoon to 4 30 in the afternoon",
        ),
        ("11:30 - 1:00 pm", "11 30 in the morning to 1 o'clock in the afternoon"),
        ("10:00 till 6:00 am", "10 o'clock in the evening till 6 o'clock in the morning"),
        ("11:00 to 12:00 PM", "11 o'clock in the morning to noon"),
        ("2:30 to 4:30 a.m.", "2 30 in the morning to 4 30 in the morning"),
        ("9:00\u201317:00", "9 o'clock in the morning to 5 o'clock in the afternoon"),
        ("22:00 to 6:00", "10 o'clock in the evening to 6 o'clock in the morning"),
        ("2:30 PM to 4:30", "2 30 in the afternoon to 4 30"),
        ("5:30 to 6:05", "5 30 to 6 oh 5"),
        ("5:30 to 6:75 pm, 1:30:00", "5:30 to 6:75 pm, 1:30:00"),
        ("at 5:30 pm.", "at 5 30 in the afternoon."),
        ("5:30 a.m. or 12:05 AM", "5 30 in the morning or 12 oh 5 in the morning"),
        ("12:00 pm, 12:00 am, 9:15PM", "noon, midnight, 9 15 in the evening"),
        ("at 9:00 a man came", "at 9 o'clock a man came"),
        ("$12.50", "12 dollars and 50 cents"),
        ("$1", "1 dollar"),
        ("$0.01", "1 cent"),
        ("It costs $1,234.50.", "It costs 1,234 dollars and 50 cents."),
        ("$12345", "12,345 dollars"),
        ("$1.5", "1 dollar and 50 cents"),
        ("$5k or $1.5M", "5 thousand dollars or 1.5 million dollars"),
        ("$2 million, $3bn, $1B", "2 million dollars, 3 billion dollars, 1 billion dollars"),
        ("$3.999 a gallon", "3.999 dollars a gallon"),
        ("$5kg, $1.2.3, 12 € and €5", "$5kg, $1.2.3, 12 € and €5"),
        ("on 2026-11-18", "on November 18, 2026"),
        ("until 2029-01-06", "until January 6, 2029"),
        ("on 2026-13-18 at 29:99", "on 2026-13-18 at 29:99"),
    ],
)
def test_times_money_and_dates(text, spoken):
    assert aloud(text) == spoken


def test_templates_fill_what_is_known_and_leave_out_the_rest():
    values = {"order": "42"}
    assert fill("{order}, {order:digits}{nobody}{no.body:digits}.", values) == "42, four two."


def test_a_column_that_one_row_lacks_is_left_out():
    assert fill("{orders.item}{orders.note}.", {"orders": Row(item="a lamp")}) == "a lamp."


@pytest.mark.parametrize(
    ("language", "spoken"),
    [
        ("de-AT", "4 2: vier zwei, am 3. März 2026 um 17:30, $12.50"),
        ("pt", "4 2: quatro dois, am 3 de março de 2026 um 17:30, $12.50"),
        ("fi", "4 2: 4, 2, am 2026-03-03 um 17:30, $12.50"),
    ],
)
def test_what_a_voice_of_another_language_reads_right_stays_as_it_is(language, spoken):
    template = "4 2: {order:digits}, am {orders.day} um 17:30, $12.50"
    values = {"order": "42", "orders": Row(day="2026-03-03")}
    assert fill(template, values, language) == spoken


def test_a_variable_of_the_call_may_be_spoken_digit_by_digit():
    assert fill("You call from {caller:digits}.", {"caller": "919"}) == (
        "You call from nine one nine."
    )


def test_a_spec_that_means_nothing_is_an_error():
    with pytest.raises(ValueError, match="Invalid format"):
        fill("{order:upper}", {"order": "42"})
