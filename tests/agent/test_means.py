from opensip.agent.means import Means
from opensip.agent.memory import Call


def test_writes_down_what_tools_did_and_which_are_at_work():
    means = Means(*[None] * 11)
    assert means.noted() == ()
    means.calls[Call("1", "order", '{"n": 2}')] = "ordered"
    means.calls[Call("2", "look", "{}")] = ""
    assert means.noted() == (
        '(The tool order was run already, with {"n": 2}. It gave: ordered)',
        "(The tool look was run already, with {}. It is still at work.)",
    )
