import pytest

from opensip.errors import NegotiationError
from opensip.ua.negotiation import Negotiation, warning
from tests.fakes.agents import Words


def test_the_same_offer_gets_the_same_answer_until_we_offer():
    words, negotiation = Words("w"), Negotiation()
    negotiation.begin(words, b"first", b"first answer")
    assert negotiation.answer(b"first") == b"first answer"
    assert negotiation.answer(b"hold") == negotiation.answer(b"hold") == b"w answer 1"
    assert negotiation.answer(b"") == b"w offer 2"
    negotiation.accept(b"theirs")
    assert negotiation.answer(b"hold") == b"w answer 4"


def test_nothing_can_be_agreed_before_there_is_media():
    negotiation = Negotiation()
    with pytest.raises(NegotiationError):
        negotiation.answer(b"offer")
    with pytest.raises(NegotiationError):
        negotiation.offer()
    negotiation.accept(b"answer")


def test_warning_is_quoted():
    error = NegotiationError('no "x"', warning_code=399)
    assert warning(error, ("192.0.2.1", 5060)) == ("Warning", r'399 192.0.2.1:5060 "no \"x\""')
