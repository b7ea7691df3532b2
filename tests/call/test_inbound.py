import asyncio
import dataclasses
import time
from dataclasses import replace
from ipaddress import ip_network

import pytest

from opensip.agent.outcome import Escalate, Hangup
from opensip.call.inbound import InboundCalls
from opensip.carriers import Number, Trunk
from opensip.errors import TransportFailed
from opensip.media.engine import Digit
from opensip.media.session import MediaConfig, MediaSession
from opensip.net.sti import Anchors
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.call_failed import CallFailed
from opensip.ua.verification import Verifier
from tests.fakes.agents import CALLER, Words, endpoint
from tests.fakes.exchanges import AGENTS, Seats, exchange, journal, journal_kinds, records
from tests.fakes.media_engine import FakeEngine, FakePorts
from tests.fakes.sip_link import Link
from tests.fakes.stir import URL, signer, stir
from tests.fakes.talkers import FakeTalker
from tests.fakes.virtual_time_loop import VirtualTimeLoop

__all__ = ["signer", "stir"]

TRUNK = Trunk(
    "local",
    networks=(ip_network("127.0.0.0/8"),),
    numbers={"+15553334444": Number("shop"), "echo": Number("echo")},
    headers=("X-Campaign",),
    silence_timeout=15.0,
    first_timeout=30.0,
)


class House:
    """A server and a caller on one link, under virtual time."""

    def __init__(self, data, trunk=TRUNK, *agents, max_calls=0, **more):
        loop = asyncio.get_running_loop()
        self.data = data
        self.exchange = exchange(data, *agents, **more)
        self.calls = InboundCalls(self.exchange, {trunk.name: trunk}, max_calls=max_calls)
        self.link = Link()
        self.server = endpoint(self.calls.receive, link=self.link, host="127.0.0.1", port=5060)
        self.calls.endpoint = self.server
        self.caller = endpoint(link=self.link, host="127.0.0.2", port=5060)
        self.media = MediaSession(FakeEngine(loop), FakePorts(port=30000), MediaConfig("127.0.0.2"))

    async def dial(self, user="+15553334444", negotiator=None, **more):
        await self.server.start()
        await self.caller.start()
        call = await self.caller.dial(
            Uri.parse(f"sip:{user}@127.0.0.1:5060"),
            from_=CALLER,
            negotiator=negotiator or self.media,
            **more,
        )
        return await call.wait_answered()

    async def refused(self, user="+15553334444", **more):
        with pytest.raises(CallFailed) as failed:
            await self.dial(user, **more)
        await asyncio.sleep(0.1)
        return failed.value

    async def close(self):
        await self.caller.close()
        await self.server.close()


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def test_a_call_is_answered_by_the_agent_of_its_number_and_leaves_one_record(tmp_path):
    async def main():
        house = House(tmp_path, TRUNK, FakeTalker((3.0, Hangup("goodbye"))))
        headers = [
            ("P-Asserted-Identity", "<sip:+15551112222@127.0.0.2>"),
            ("X-Campaign", "spring"),
            ("X-Other", "secret"),
        ]
        session = await house.dial("5553334444;npdi", headers=headers)
        ended = await session.wait_ended()
        await asyncio.sleep(1)
        assert ended.by == "remote"
        assert house.calls.active == 0
        assert house.exchange.engine.streams[0].closed
        name, _, variables = house.exchange.seat.seated[0]
        assert name == "shop"
        assert variables["x_campaign"] == "spring"
        assert "x_other" not in variables
        assert (variables["caller"], variables["called"]) == ("+15551112222", "+15553334444")
        (record,) = records(tmp_path)
        assert record["call_id"] == variables["call_id"]
        assert (record["direction"], record["trunk"], record["agent"]) == (
            "inbound",
            "local",
            "shop",
        )
        assert (record["caller"], record["called"]) == ("+15551112222", "+15553334444")
        assert record["ending"] == {"side": "agent", "cause": "goodbye", "sip_status": None}
        assert record["codec"] == "PCMU"
        assert record["outcome"] == "completed"
        assert record["seconds"] == pytest.approx(3.0, abs=0.1)
        kinds = journal_kinds(tmp_path)
        assert kinds[0] == "journal_opened"
        assert kinds[-1] == "call_ended"
        assert {"sip_received", "sip_sent", "call_started", "media_negotiated"} <= set(kinds)
        await house.close()

    run(main())


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


def test_the_caller_hears_ringing_while_the_agent_takes_its_seat(tmp_path):
    async def main():
        house = House(tmp_path, TRUNK, FakeTalker())
        session = await house.dial()
        sent = (e["text"].split()[1] for e in journal(tmp_path) if e["kind"] == "sip_sent")
        assert list(sent) == ["100", "180", "200"]
        await session.bye()
        await house.close()

    run(main())


def test_the_caller_hangs_up(tmp_path):
    async def main():
        house = House(tmp_path, TRUNK, FakeTalker())
        session = await house.dial()
        await asyncio.sleep(2)
        assert house.calls.active == 1
        await session.bye()
        await asyncio.sleep(0.1)
        (record,) = records(tmp_path)
        assert record["ending"]["side"] == "caller"
        await house.close()

    run(main())


@pytest.mark.parametrize("user", ["911", "9-1-1", "+911", "933", "112", "%39%31%31"])
def test_an_agent_never_answers_for_emergency_services(tmp_path, user):
    async def main():
        house = House(tmp_path, Trunk("local", numbers={"*": Number("shop")}))
        failed = await house.refused(user)
        assert failed.status == 404
        (record,) = records(tmp_path)
        assert record["ending"]["cause"] == "emergency number"
        assert house.exchange.seat.seated == []
        await house.close()

    run(main())


def test_an_emergency_call_is_redirected_where_that_is_configured(tmp_path):
    async def main():
        target = "sip:911@psap.example.com"
        house = House(tmp_path, Trunk("local", emergency_redirect=target))
        failed = await house.refused("911")
        assert failed.status == 302
        assert failed.headers.get("Contact") == f"<{target}>"
        await house.close()

    run(main())


def test_an_unknown_number_is_answered_with_404(tmp_path):
    async def main():
        house = House(tmp_path)
        assert (await house.refused("+15550000000")).status == 404
        (record,) = records(tmp_path)
        assert record["outcome"] == "not answered"
        assert record["ending"] == {"side": "us", "cause": "unknown number", "sip_status": 404}
        await house.close()

    run(main())


@pytest.mark.parametrize(
    ("trunk", "max_calls"),
    [(Trunk("local", numbers=TRUNK.numbers, max_calls=1), 0), (TRUNK, 1)],
)
def test_one_call_too_many_is_sent_elsewhere(tmp_path, trunk, max_calls):
    async def main():
        house = House(tmp_path, trunk, FakeTalker(), max_calls=max_calls)
        await house.dial()
        failed = await house.refused(negotiator=Words())
        assert failed.status == 503
        assert failed.headers.get("Retry-After")
        await house.close()

    run(main())


def test_media_that_do_not_fit_are_answered_with_488_and_a_warning(tmp_path):
    async def main():
        trunk = Trunk("local", numbers=TRUNK.numbers, srtp="required")
        agent = FakeTalker()
        house = House(tmp_path, trunk, agent)
        media = MediaSession(
            FakeEngine(asyncio.get_running_loop()),
            FakePorts(port=30000),
            MediaConfig("127.0.0.2", srtp="off"),
        )
        failed = await house.refused(negotiator=media)
        assert failed.status == 488
        assert failed.headers.get("Warning")
        assert agent.closed == 1
        assert house.exchange.engine.streams[0].closed
        (record,) = records(tmp_path)
        assert record["ending"]["sip_status"] == 488
        await house.close()

    run(main())


def test_a_number_whose_agent_is_gone_is_answered_with_500(tmp_path):
    async def main():
        house = House(tmp_path, Trunk("local", numbers={"*": Number("nobody")}))
        assert (await house.refused()).status == 500
        (record,) = records(tmp_path)
        assert "'nobody'" in record["ending"]["cause"]
        await house.close()

    run(main())


def test_a_reload_that_takes_the_agent_away_does_not_touch_a_call_that_has_it(
    tmp_path, monkeypatch
):
    async def main():
        house = House(tmp_path, TRUNK, FakeTalker((3.0, Hangup("goodbye"))))

        def seat(seats, _definition, _seat):
            monkeypatch.delitem(AGENTS, "shop")  # between INVITE and ACK
            return seats.left.pop(0)

        monkeypatch.setattr(Seats, "__call__", seat)
        session = await house.dial()
        await session.wait_ended()
        await asyncio.sleep(1)
        (record,) = records(tmp_path)
        assert record["ending"]["cause"] == "goodbye"
        assert record["faults"] == []
        await house.close()

    run(main())


def test_the_agent_learns_when_the_caller_holds_it_from_the_invite_on(tmp_path):
    async def main():
        agent = FakeTalker((5.0, Hangup("goodbye")))
        house = House(tmp_path, TRUNK, agent)
        house.media.direction = "sendonly"
        session = await house.dial()
        await asyncio.sleep(0.1)
        assert agent.holds == [True]
        house.media.direction = "sendrecv"
        await session.reinvite()
        await asyncio.sleep(0.1)
        assert agent.holds == [True, False]
        await session.wait_ended()
        await asyncio.sleep(1)
        await house.close()

    run(main())


def test_a_fault_of_ours_ends_one_call_with_a_record(tmp_path):
    async def main():
        house = House(tmp_path, TRUNK)  # no agent is left to be seated: an IndexError
        assert (await house.refused()).status == 500
        (record,) = records(tmp_path)
        assert "IndexError" in record["faults"][0]["error"]
        assert house.calls.active == 0
        await house.close()

    run(main())


def test_a_caller_who_gives_up_before_the_answer_has_cancelled(tmp_path):
    async def main():
        house = House(tmp_path, TRUNK, FakeTalker())
        await house.server.start()
        await house.caller.start()
        call = await house.caller.dial(
            Uri.parse("sip:+15553334444@127.0.0.1:5060"), from_=CALLER, negotiator=house.media
        )
        waiting = house.exchange.seat
        call.cancel()
        await asyncio.sleep(3)
        assert house.calls.active == 0
        assert len(waiting.seated) <= 1
        await house.close()

    run(main())


def test_no_rtp_ends_the_call(tmp_path):
    async def main():
        house = House(tmp_path, TRUNK, FakeTalker())
        session = await house.dial()
        ended = await session.wait_ended()
        assert ended.by == "remote"
        assert asyncio.get_running_loop().time() == pytest.approx(30.0, abs=0.2)
        await asyncio.sleep(1)
        (record,) = records(tmp_path)
        assert record["ending"]["side"] == "lost"
        assert "no RTP for 30 s" in record["ending"]["cause"]
        await house.close()

    run(main())


def test_the_recording_starts_once_the_caller_was_told(tmp_path):
    async def main():
        numbers = {"*": Number("shop", recording=True, consent="This call is recorded.")}
        agent = FakeTalker((1.0, Hangup("bye")))
        house = House(tmp_path, Trunk("local", numbers=numbers), agent)
        session = await house.dial()
        await session.wait_ended()
        await asyncio.sleep(1)
        assert agent.said == ["This call is recorded."]
        (record,) = records(tmp_path)
        assert record["recording"]["path"] == str(
            tmp_path / "recordings" / f"{record['call_id']}.wav"
        )
        await house.close()

    run(main())


def test_a_caller_who_does_not_stay_to_be_told_is_not_recorded(tmp_path):
    async def main():
        numbers = {"*": Number("shop", recording=True, consent="This call is recorded.")}
        agent = FakeTalker()

        async def say(text):
            await asyncio.sleep(60)
            return text

        agent.say = say
        house = House(tmp_path, Trunk("local", numbers=numbers), agent)
        session = await house.dial()
        await asyncio.sleep(1)
        await session.bye()
        await asyncio.sleep(0.1)
        (record,) = records(tmp_path)
        assert record["recording"] == {}
        await house.close()

    run(main())


def test_digits_reach_the_agent(tmp_path):
    async def main():
        agent = FakeTalker()
        house = House(tmp_path, TRUNK, agent)
        session = await house.dial()
        await asyncio.sleep(0.1)
        house.exchange.engine.streams[0].hear(at=1.0, digits=(Digit("5", 160),))
        assert agent.digits == ["5"]
        await session.bye()
        await house.close()

    run(main())


@pytest.mark.parametrize(("dtmf", "form"), [
    ("info", [("application/dtmf", b"1"), ("application/dtmf", b"#")]),
    ("info-relay", [("application/dtmf-relay", b"Signal=1\r\nDuration=160\r\n"),
                    ("application/dtmf-relay", b"Signal=#\r\nDuration=160\r\n")]),
    ("auto", []),
])  # fmt: skip
def test_keys_of_the_agent_go_as_the_trunk_says(tmp_path, dtmf, form):
    async def main():
        agent, told = FakeTalker(), []
        house = House(tmp_path, replace(TRUNK, dtmf=dtmf), agent)
        session = await house.dial()
        session.on_info = lambda *info: told.append(info)
        await asyncio.sleep(0.1)
        agent.press("1#")
        await asyncio.sleep(1)
        assert told == form
        assert house.exchange.engine.streams[0].digits_sent == ([] if form else ["1", "#"])
        await session.bye()
        await asyncio.sleep(0.1)
        [pressed] = [event for event in journal(tmp_path) if event["kind"] == "keys_pressed"]
        assert (pressed["digits"], pressed["error"]) == ("1#", "")
        await house.close()

    run(main())


def test_a_digit_that_comes_by_event_and_by_info_reaches_the_agent_once(tmp_path):
    async def main():
        agent = FakeTalker()
        house = House(tmp_path, TRUNK, agent)
        session = await house.dial()
        await asyncio.sleep(0.1)
        house.exchange.engine.streams[0].hear(at=0.1, digits=(Digit("5", 160),))
        assert await session.info("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n") == 200
        assert await session.info("application/dtmf", b"6") == 200
        assert agent.digits == ["5", "6"]
        await session.bye()
        await house.close()

    run(main())


def test_a_transfer_refused_by_the_caller_gives_it_back_to_the_agent(tmp_path):
    async def main():
        desk = Escalate("desk", "person", 0.5, "", "asked")
        agent = FakeTalker((1.0, desk), (1.0, Hangup("bye")))
        house = House(tmp_path, replace(TRUNK, transfer=("refer",)), agent)
        session = await house.dial()
        await session.wait_ended()
        await asyncio.sleep(1)
        assert agent.failures == ["I am sorry, your call was declined."]
        (record,) = records(tmp_path)
        (transfer,) = record["transfers"]
        assert (transfer["outcome"], transfer["sip_status"]) == ("refused", 603)
        await house.close()

    run(main())


def test_a_transfer_accepted_ends_the_call_with_a_bye_of_ours(tmp_path):
    async def main():
        desk = Escalate("desk", "person", 0.5, "Wants a person. " * 30, "asked")
        house = House(tmp_path, TRUNK, FakeTalker((1.0, desk)))
        targets, sizes = [], []

        async def take(refer):
            targets.append(refer.target.uri)
            sizes.append(len(refer.request.to_bytes()))
            refer.accept()
            await asyncio.sleep(1)
            await refer.notify(180)
            await asyncio.sleep(1)
            await refer.notify(200)

        session = await house.dial()
        session.on_refer = take
        ended = await session.wait_ended()
        await asyncio.sleep(1)
        assert ended.by == "remote"
        assert 1000 < sizes[0] < 1300  # it went over UDP
        assert str(targets[0].without_headers()) == "sip:desk@127.0.0.9:5060"
        (record,) = records(tmp_path)
        assert record["outcome"] == "transferred"
        assert record["transfers"][0]["target"] == "sip:desk@127.0.0.9:5060"
        statuses = [p["sip_status"] for p in record["transfers"][0]["progress"]]
        assert statuses == [202, 100, 180, 200]
        await house.close()

    run(main())


def test_shutting_down_ends_the_call_and_writes_its_record(tmp_path):
    async def main():
        house = House(tmp_path, TRUNK, FakeTalker())
        await house.dial()
        await asyncio.sleep(1)
        await house.server.close()
        (record,) = records(tmp_path)
        assert record["ending"]["cause"] == "shut down"
        await house.close()

    run(main())


def test_media_that_listen_everywhere_name_the_address_of_signalling(tmp_path):
    async def main():
        wildcard = MediaConfig("0.0.0.0")
        house = House(tmp_path, TRUNK, FakeTalker(), media=wildcard)
        session = await house.dial()
        assert house.media.negotiated.remote[0] == "127.0.0.1"
        await session.bye()
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
