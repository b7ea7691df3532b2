import pytest

from opensip.agent.consequences import consequences
from opensip.agent.definition import Agent, Entry
from opensip.agent.providers import HangUp, Looked, Meant, Noted, Press, Record, Transfer
from opensip.agent.withheld import Refused

AGENT = Agent("shop", directory={"human": Entry("sip:desk@x")})
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
    assert consequences(Looked(name, arguments, None), AGENT) == acts


def test_a_tool_that_failed_leads_to_nothing():
    assert consequences(Looked("hang_up", {}, None, error="no"), AGENT) == []
    assert consequences(Noted("sold"), AGENT) == []


def test_who_goes_round_in_circles_is_left_for_a_person_who_comes():
    left = [consequences(Refused("find", {}, "enough", n), AGENT) for n in (1, 2, 3)]
    assert left == [[], [Transfer("human", "", 0.0, "enough")], [HangUp("enough")]]
    assert consequences(Refused("find", {}, "enough", 2), Agent("alone")) == [HangUp("enough")]
