"""What agent and record learn of who calls."""

import asyncio
import dataclasses
import time

import pytest

from opensip.agent.outcome import Hangup
from opensip.carriers import Trunk
from opensip.errors import TransportFailed
from opensip.net.sti import Anchors
from opensip.sip.uri import NameAddr
from opensip.ua.verification import Verifier
from tests.fakes.agents import CALLER
from tests.fakes.exchanges import records
from tests.fakes.house import TRUNK, House, run
from tests.fakes.stir import URL, signer, stir
from tests.fakes.talkers import FakeTalker

__all__ = ["signer", "stir"]


def told_to_the_agent(tmp_path, trunk, *headers):
    """Call with these headers; returns the agent's variables and the record."""

    async def main():
        house = House(tmp_path, trunk, FakeTalker((1.0, Hangup("goodbye"))))
        session = await house.dial(headers=headers)
        await session.wait_ended()
        await asyncio.sleep(1)
        (record,) = records(tmp_path)
        await house.close()
        return house.exchange.seat.seated[0][2], record

    return run(main())


ATTESTED = (
    ("P-Asserted-Identity", "<sip:+15551112222@127.0.0.2>;verstat=TN-Validation-Passed"),
    ("P-Attestation-Indicator", "A"),
    ("P-Origination-ID", "b37efe53-564d-5095-b66d-720366cc1395"),
)


def test_what_the_carrier_says_of_the_number_reaches_agent_and_record(tmp_path):
    variables, record = told_to_the_agent(tmp_path, TRUNK, *ATTESTED)
    expected = {
        "verstat": "TN-Validation-Passed",
        "attestation": "A",
        "origination_id": "b37efe53-564d-5095-b66d-720366cc1395",
    }
    assert expected.items() <= variables.items()
    assert record["variables"] == expected


def test_of_a_trunk_that_is_not_trusted_it_reaches_nobody(tmp_path):
    stranger = dataclasses.replace(TRUNK, trusted=False)
    variables, record = told_to_the_agent(tmp_path, stranger, *ATTESTED)
    assert not {"verstat", "attestation", "origination_id"} & variables.keys()
    assert record["variables"] == {}
    assert variables["caller"] != "+15551112222"


def test_who_asks_for_privacy_is_anonymous_to_agent_and_record(tmp_path):
    headers = (("P-Asserted-Identity", "<sip:+15551112222@127.0.0.2>"), ("Privacy", "id"))
    variables, record = told_to_the_agent(tmp_path, TRUNK, *headers)
    assert (variables["caller"], record["caller"]) == ("anonymous", "anonymous")


def test_what_the_plan_knows_of_the_caller_reaches_agent_and_record(tmp_path):
    header = ("P-Asserted-Identity", "<sip:+19195551234@127.0.0.2>")
    variables, record = told_to_the_agent(tmp_path, TRUNK, header)
    plan = {
        "number": "+19195551234",
        "country": "US",
        "countryCallingCode": "1",
        "nationalNumber": "9195551234",
        "valid": True,
        "type": "FIXED_LINE_OR_MOBILE",
        "uri": "tel:+19195551234",
    }
    assert record["number"] == plan
    assert (plan | {"valid": "true"}).items() <= variables.items()


def test_of_who_asks_for_privacy_the_plan_tells_nothing(tmp_path):
    headers = (("P-Asserted-Identity", "<sip:+19195551234@127.0.0.2>"), ("Privacy", "id"))
    variables, record = told_to_the_agent(tmp_path, TRUNK, *headers)
    assert record["number"] == {}
    assert "number" not in variables


class SignedHouse(House):
    """Verifies against the roots of `stir`; `chain` is what stands at any URL."""

    def __init__(self, data, identity, stir, chain, *agents):
        super().__init__(data, dataclasses.replace(TRUNK, identity=identity), *agents)

        async def fetch(_url):
            if chain is None:
                raise TransportFailed("nothing there")
            return chain

        self.calls.verifier = Verifier(Anchors(stir.pem), fetch, wall=time.time)


def asserted(*identities):
    caller = ("P-Asserted-Identity", "<sip:+15551112222@127.0.0.2>")
    return [caller, *(("Identity", identity) for identity in identities)]


def test_a_signed_number_is_told_to_the_agent_and_kept_in_the_record(tmp_path, stir, signer):
    async def main():
        agent = FakeTalker((1.0, Hangup("goodbye")))
        house = SignedHouse(tmp_path, "enforce", stir, signer.chain, agent)
        session = await house.dial(headers=asserted(signer.identity()))
        await session.wait_ended()
        await asyncio.sleep(1)
        variables = house.exchange.seat.seated[0][2]
        assert (variables["identity"], variables["attestation"]) == ("passed", "A")
        assert variables["verstat"] == "TN-Validation-Passed"
        (record,) = records(tmp_path)
        assert record["identity"] == {
            "outcome": "passed",
            "sip_status": 0,
            "why": "",
            "attestation": "A",
            "origination_id": variables["origination_id"],
            "certificate": URL,
        }
        await house.close()

    run(main())


@pytest.mark.parametrize(
    "case",
    [
        ("off", "forged", 0),
        ("annotate", "forged", 0),
        ("annotate", "unavailable", 0),
        ("prefer", "forged", 438),
        ("prefer", "unavailable", 0),
        ("prefer", "missing", 0),
        ("enforce", "forged", 438),
        ("enforce", "unavailable", 436),
        ("enforce", "missing", 428),
    ],
)
def test_the_trunk_decides_what_becomes_of_a_number_that_is_not_proven(
    tmp_path, stir, signer, case
):
    identity, kind, status = case

    async def main():
        chain = None if kind == "unavailable" else signer.chain
        house = SignedHouse(tmp_path, identity, stir, chain, FakeTalker((1.0, Hangup("bye"))))
        signed = signer.identity("15559999999" if kind == "forged" else "15551112222")
        headers = asserted() if kind == "missing" else asserted(signed)
        if status:
            failed = await house.refused(headers=headers)
            assert failed.status == status
            assert failed.headers.get("Reason").startswith(f"STIR;cause={status};text=")
            assert house.exchange.seat.seated == []
        else:
            session = await house.dial(headers=headers)
            await session.wait_ended()
            await asyncio.sleep(1)
        (record,) = records(tmp_path)
        assert record["ending"]["sip_status"] == (status or None)
        assert record["ending"]["cause"].startswith("identity: ") == bool(status)
        await house.close()

    run(main())


def test_an_untrusted_trunk_tells_nothing(tmp_path):
    async def main():
        trunk = Trunk("local", numbers=TRUNK.numbers, headers=("X-Campaign",), trusted=False)
        house = House(tmp_path, trunk, FakeTalker())
        assert NameAddr.parse(str(CALLER)).uri.user == "alice"
        session = await house.dial(
            headers=[
                ("P-Asserted-Identity", "<sip:+15551112222@127.0.0.2>"),
                ("X-Campaign", "spring"),
            ]
        )
        await asyncio.sleep(0.1)
        _, _, variables = house.exchange.seat.seated[0]
        assert variables.keys() == {"caller", "called", "call_id"}
        assert variables["caller"] == "alice"
        await session.bye()
        await house.close()

    run(main())
