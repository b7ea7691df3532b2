import pytest

from opensip.agent.consequences import consequences
from opensip.agent.providers import HangUp, Looked, Meant, Noted, Press, Record, Transfer

HANDING = {"entry": "human", "intent": "complaint", "summary": "It broke."}


@pytest.mark.parametrize(
    ("name", "arguments", "acts"),
    [
        ("hang_up", {"reason": "done"}, [HangUp("done")]),
        ("note_outcome", {"outcome": "sold"}, [Noted("sold")]),
        ("press_keys", {"keys": "1#"}, [Press("1#")]),
        ("pause_recording", {}, [Record(False)]),
        ("resume_recording", {}, [Record(True)]),
        ("look_up", {"table": "a", "key": "b"}, []),
        (
            "transfer",
            HANDING,
            [
                Meant("transfer", 1.0, "complaint"),
                Transfer("human", "complaint", 1.0, "the model asked", "It broke."),
            ],
        ),
    ],
)
def test_each_built_in_tool_leads_to_its_acts(name, arguments, acts):
    assert consequences(Looked(name, arguments, None)) == acts


def test_a_tool_that_failed_leads_to_nothing():
    assert consequences(Looked("hang_up", {}, None, error="no")) == []
