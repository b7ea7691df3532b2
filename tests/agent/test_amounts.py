import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.agent.amounts import SIGN_FIRST, SIGN_LAST, amount


def said(text):
    return SIGN_LAST.sub(amount, SIGN_FIRST.sub(amount, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$0.05, £0.01, £0.02", "5 cents, 1 penny, 2 pence"),
        ("$1,000,000.", "1,000,000 dollars."),
        ("12.50€ or 5k €", "12 euros and 50 cents or 5 thousand euros"),
        ("$5K/$5m-$6bn", "5 thousand dollars/5 million dollars-6 billion dollars"),
        ("$1 trillion; $1.50 thousand", "1 trillion dollars; 1.50 thousand dollars"),
        ("$2 bananas and $3 more", "2 dollars bananas and 3 dollars more"),
        ("$1,23 $1.5MM $5USD", "$1,23 $1.5MM $5USD"),
        ("$" + "9" * 5000, "$" + "9" * 5000),
    ],
)
def test_amounts(text, words):
    assert said(text) == words


@given(st.integers(0, 10**12), st.integers(0, 99), st.booleans())
def test_no_figure_is_lost_however_it_is_written(whole, cents, grouped):
    number = f"{whole:,}" if grouped else f"{whole}"
    told = [int(n.replace(",", "")) for n in re.findall(r"[\d,]+", said(f"(${number}.{cents:02})"))]
    assert told == ([whole] if whole or not cents else []) + ([cents] if cents else [])
