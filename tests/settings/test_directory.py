from dataclasses import replace

import pytest

from opensip.agent.definition import Agent, Entry
from opensip.carriers import Number, Trunk
from opensip.settings.directory import mistakes, of_trunks, own_entries, unused, warnings


@pytest.mark.parametrize(
    "target", ["sip:desk@192.0.2.1", "sips:desk@h.example", "tel:+19195551234", "+19195551234"]
)
def test_entries_that_lead_somewhere(target):
    assert list(mistakes({"human": target}, {"US", "DE"})) == []


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("911", "directory entry 'human' is an emergency number"),
        ("sip:9,911@h.example", "directory entry 'human' is an emergency number"),
        ("not a uri", "directory entry 'human' is neither a URI nor a number: 'not a uri'"),
        ("sip:a b@c", "'sip:a b@c' is no URI"),
        ("sip:", "'sip:' is no URI"),
    ],
)
def test_entries_that_lead_nowhere(target, told):
    [line] = mistakes({"human": target})
    assert line.startswith(f"directory.human: {told}")


def test_the_country_counts():
    assert list(mistakes({"human": "tel:110"}, {"US"})) == []
    assert len(list(mistakes({"human": "tel:110"}, {"US", "DE"}))) == 1


def test_entries_that_no_agent_has():
    shop = Agent("shop", directory={"human": Entry("sip:desk@h")})
    echo = Agent("echo", kind="echo")
    assert list(unused({"human": "sip:x@h"}, [shop, echo])) == []
    [line] = unused({"humen": "sip:x@h"}, [shop, echo])
    assert line == "directory.humen: no agent has this entry; did you mean 'human'?"
    [line] = unused({"human": "sip:x@h"}, [echo])
    assert line == "directory.human: no agent has this entry: no agent has any"


def test_an_agents_own_entry_that_is_never_dialled_is_warned_of():
    entries = {"human": Entry("sip:desk@h"), "night": Entry("tel:911"), "guard": Entry("tel:110")}
    shop = Agent("shop", directory=entries)
    [warning] = warnings([shop], {"US"})
    assert warning.startswith("agent shop: directory.night: 'tel:911' is an emergency number")
    assert len(list(warnings([shop], {"US", "DE"}))) == 2
    assert own_entries(shop, {"guard"}) == {"human": "sip:desk@h"}


BRIDGED = Trunk("pbx", numbers={"1": Number("shop"), "2": Number("shop")}, srtp="required")


def of_trunk(trunk, **entries):
    shop = Agent("shop", directory={name: Entry(uri) for name, uri in entries.items()})
    return list(of_trunks({"shop": shop, "echo": Agent("echo", kind="echo")}, [trunk]))


def test_a_target_that_srtp_cannot_be_required_of_is_warned_of():
    uris = {"a": "sip:desk@h;transport=tls", "b": "sips:desk@h", "night": "tel:911"}
    assert of_trunk(BRIDGED, **uris) == []
    [warning] = of_trunk(BRIDGED, human="sip:desk@h;transport=tcp")
    assert warning.startswith("trunk pbx: directory.human of agent shop, sip:desk@h;transport=tcp,")
    assert "is not reached over TLS" in warning
    for trunk in (replace(BRIDGED, srtp="preferred"), replace(BRIDGED, transfer=("refer",))):
        assert of_trunk(trunk, human="sip:desk@h") == []


@pytest.mark.parametrize("number", ["+19195551234", "tel:+19195551234"])
def test_a_number_that_we_cannot_call_is_warned_of(number):
    [warning] = of_trunk(BRIDGED, front=number)
    assert warning.startswith(f"trunk pbx: directory.front of agent shop, {number}, is a number")
    assert "outbound.termination" in warning
    for trunk in (
        replace(BRIDGED, termination="sip:sbc.example.com"),
        replace(BRIDGED, transfer=("refer",)),
    ):
        assert of_trunk(trunk, front=number) == []
