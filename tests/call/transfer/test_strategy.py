import pytest

from opensip.call.transfer.strategy import TransferResult


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (TransferResult("failed", 486), "busy"),
        (TransferResult("failed", 600), "busy"),
        (TransferResult("failed", 480), "nobody answered"),
        (TransferResult("failed", 404), "cannot be reached"),
        (TransferResult("refused", 603), "declined"),
        (TransferResult("refused", 405), "did not work"),
        (TransferResult("failed", None), "did not work"),
        (TransferResult("silent"), "could not find out"),
    ],
)
def test_the_caller_is_told_in_words(result, words):
    assert words in result.words
