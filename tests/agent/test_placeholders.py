import pytest

from opensip.agent.placeholders import misspelt, mistakes

NAMES = {"order": frozenset(), "orders": frozenset({"item", "status"}), "who": frozenset()}


@pytest.mark.parametrize(
    "text",
    ["", "No braces.", "{order}", "{order:digits}", "{orders.item}, {orders.status}", "{{order}}"],
)
def test_what_is_filled_is_no_mistake(text):
    assert list(mistakes(text, NAMES)) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{ordr}", "nothing fills {ordr} in '{ordr}'; did you mean {order}?"),
        ("{orders.itm}", "did you mean {orders.item}?"),
        ("Ask {woh}.", "nothing fills {woh} in 'Ask {woh}.'; did you mean {who}?"),
        ("{zzz}", "known are {order}, {orders.item}, {orders.status}, {who}"),
        ("{orders}", "nothing fills {orders}"),
        ("{order.item}", "nothing fills {order.item}"),
        ("{orders[item]}", "nothing fills {orders[item]}"),
        ("{}", "nothing fills {}"),
        ("{order:digit}", "no form ':digit' of {order} in '{order:digit}': {order:digits} or"),
        ("{order!r}", "no form '!r' of {order}"),
        ("{order", "'{order' is no template"),
    ],
)
def test_what_nothing_fills_is_named_with_the_nearest(text, told):
    [found] = mistakes(text, NAMES)
    assert told in found


def test_every_one_of_a_text_is_told():
    assert len(list(mistakes("{a}, {b} and {order}", NAMES))) == 2


@pytest.mark.parametrize(
    ("text", "plain", "told"),
    [
        ("Hello {caller}, {diversion}.", False, ""),
        ("Hello {callr}.", False, "did you mean {caller}?"),
        ("Hello {callr:digits}.", False, "did you mean {caller}?"),
        ("Hello {caller:digits}.", False, ""),
        ("Hello {caller:upper}.", False, "no form ':upper' of {caller}"),
        ("Hello {caller!r}.", False, "no form '!r' of {caller}"),
        ("Hello {caller.name}.", False, "nothing fills {caller.name}"),
        ("Hello {}.", False, "nothing fills {} in 'Hello {}.'; a variable is one word"),
        ("Hello {caller", False, "is no template"),
        ("Write {} or {'a': 1} for {caller}.", True, ""),
        ("You talk with {caller now.", True, "'{caller' is not closed"),
        ("You talk with {calld}.", True, "did you mean {called}?"),
    ],
)
def test_variables_of_a_call_may_be_any_but_not_nearly_ours(text, plain, told):
    wrong = misspelt(text, plain=plain)
    assert told in wrong
    assert bool(told) == bool(wrong)
