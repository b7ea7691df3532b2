import asyncio
from dataclasses import replace

import pytest

from opensip.agent.outcome import Hangup
from opensip.call import outbound
from opensip.call.outbound import Dialled, outcome_of, replace_user
from opensip.carriers import Trunk
from opensip.errors import ConfigError
from opensip.media.session import MediaConfig, MediaSession
from opensip.sip.uri import NameAddr, Uri
from tests.fakes.agents import endpoint
from tests.fakes.exchanges import exchange, records
from tests.fakes.media_engine import FakeEngine, FakePorts
from tests.fakes.sip_link import Link
from tests.fakes.talkers import FakeTalker
from tests.fakes.virtual_time_loop import VirtualTimeLoop

TRUNK = Trunk(
    "carrier",
    termination="sip:trunk@127.0.0.2:5060;transport=udp",
    caller_ids=("+15551112222", "+15551113333"),
)


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def dial(data, answer, number="9195551234", *, trunk=TRUNK, agents=(), drop=None, **more):
    """Dial a carrier that treats the call as `answer` says; tell all that came of it."""

    async def main():
        calls = []

        async def take(call):
            calls.append(call.request)
            await answer(call)

        link = Link() if drop is None else Link(drop=drop)
        carrier = endpoint(take, link=link, host="127.0.0.2", port=5060)
        ours = endpoint(link=link, host="127.0.0.1", port=5060)
        await carrier.start()
        await ours.start()
        house = exchange(data, *(agents or [FakeTalker()]))
        dialled = await outbound.dial(
            house, ours, trunk, number, agent=more.pop("agent", "shop"), **more
        )
        await asyncio.sleep(1)
        await ours.close()
        await carrier.close()
        return dialled, calls, house

    return run(main)


async def pick_up(call):
    media = MediaSession(
        FakeEngine(asyncio.get_running_loop()), FakePorts(port=30000), MediaConfig("127.0.0.2")
    )
    call.provisional(180)
    session = await call.answer(media)
    await session.wait_ended()


def refuse(status):
    async def answer(call):
        call.provisional(180)
        call.reject(status)

    return answer


def test_an_answered_call_is_attended_to_by_its_agent(tmp_path):
    talker = FakeTalker((4.0, Hangup("goodbye")))
    dialled, (invite,), house = dial(tmp_path, pick_up, agents=(talker,))
    assert (dialled.outcome, dialled.why, dialled.sip_status) == ("answered", "goodbye", 200)
    assert str(invite.uri) == "sip:+19195551234@127.0.0.2:5060;transport=udp"
    assert str(invite.from_.uri) == "sip:+15551112222@127.0.0.1"
    identity = NameAddr.parse(invite.headers.get("P-Asserted-Identity"))
    assert str(identity.uri) == "sip:+15551112222@127.0.0.1"
    (record,) = records(tmp_path)
    assert record["call_id"] == dialled.call_id
    assert (record["direction"], record["agent"]) == ("outbound", "shop")
    assert (record["caller"], record["called"]) == ("+15551112222", "+19195551234")
    assert record["sip_call_id"] == invite.call_id
    assert record["ending"]["side"] == "agent"
    assert house.engine.streams[0].closed
    assert house.seat.seated[0][2]["called"] == "+19195551234"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (486, "busy"),
        (600, "busy"),
        (480, "no answer"),
        (603, "rejected"),
        (608, "rejected"),
        (403, "not allowed"),
        (404, "unreachable"),
        (503, "unreachable"),
        (488, "failed"),
        (500, "failed"),
    ],
)
def test_what_became_of_it_in_words(tmp_path, status, outcome):
    dialled, _, house = dial(tmp_path, refuse(status))
    assert (dialled.outcome, dialled.sip_status) == (outcome, status)
    (record,) = records(tmp_path)
    assert record["outcome"] == "not answered"
    assert record["ending"]["cause"] == outcome
    assert house.engine.streams[0].closed


def test_what_the_peer_says_of_its_refusal_is_told(tmp_path):
    async def answer(call):
        call.reject(488, headers=(("Warning", '305 h "keys come by DTLS here"'),))

    dialled, *_ = dial(tmp_path, answer)
    assert dialled.why == "488 Not Acceptable Here: keys come by DTLS here"


def test_nobody_picks_up(tmp_path):
    async def ring(call):
        call.provisional(180)
        await call.wait_cancelled()

    dialled, _, _ = dial(tmp_path, ring, ring_timeout=20.0)
    assert (dialled.outcome, dialled.sip_status) == ("no answer", 408)


def test_a_carrier_that_only_says_that_it_tries_gives_no_answer(tmp_path):
    async def think(call):
        await call.wait_cancelled()

    dialled, _, _ = dial(tmp_path, think, ring_timeout=20.0)
    assert (dialled.outcome, dialled.sip_status) == ("no answer", 408)


@pytest.mark.parametrize("ring_timeout", [10.0, 60.0])
def test_a_carrier_that_never_answers_is_unreachable(tmp_path, ring_timeout):
    drop_all = {"drop": lambda data, flow: True, "ring_timeout": ring_timeout}
    dialled, _, _ = dial(tmp_path, pick_up, **drop_all)
    assert (dialled.outcome, dialled.sip_status) == ("unreachable", 408)


def test_a_trunk_to_which_no_way_leads_is_unreachable(tmp_path):
    trunk = Trunk(
        "carrier", termination="sip:127.0.0.2;transport=tcp", caller_ids=("+15551112222",)
    )
    dialled, _, _ = dial(tmp_path, pick_up, trunk=trunk)
    assert (dialled.outcome, dialled.sip_status) == ("unreachable", 503)
    (record,) = records(tmp_path)
    assert record["ending"]["side"] == "us"


@pytest.mark.parametrize(
    "number", ["911", "9-1-1", "+911", "tel:911", "sip:911@example.com", "urn:service:sos"]
)
def test_emergency_numbers_are_refused_as_they_stand(tmp_path, number):
    dialled, calls, _ = dial(tmp_path, pick_up, number)
    assert dialled.outcome == "not allowed"
    assert "emergency" in dialled.why
    assert calls == []
    assert not (tmp_path / "calls").exists()


def test_only_caller_ids_of_the_trunk_are_shown(tmp_path):
    dialled, (invite,), _ = dial(tmp_path, refuse(486), caller_id="555 111 3333")
    assert dialled.outcome == "busy"
    assert invite.from_.uri.user == "+15551113333"
    dialled, calls, _ = dial(tmp_path, pick_up, caller_id="+15550000000")
    assert dialled == Dialled(
        "not allowed", "+15550000000 is none of the caller_ids of trunk carrier"
    )
    assert calls == []


def test_a_trunk_without_caller_ids_shows_none(tmp_path):
    trunk = Trunk("carrier", termination="sip:127.0.0.2")
    dialled, _, _ = dial(tmp_path, pick_up, trunk=trunk)
    assert "caller_ids" in dialled.why


def test_what_is_not_configured_is_named(tmp_path):
    with pytest.raises(ConfigError, match="termination"):
        dial(tmp_path, pick_up, trunk=Trunk("carrier", caller_ids=("+15551112222",)))
    with pytest.raises(ConfigError, match="no agent 'nobody'"):
        dial(tmp_path, pick_up, agent="nobody")


def test_giving_up_oneself_cancels_and_writes_the_record(tmp_path):
    async def main():
        link, cancelled = Link(), []

        async def ring(call):
            call.provisional(180)
            await call.wait_cancelled()
            cancelled.append(call)

        carrier = endpoint(ring, link=link, host="127.0.0.2", port=5060)
        ours = endpoint(link=link, host="127.0.0.1", port=5060)
        await carrier.start()
        await ours.start()
        house = exchange(tmp_path, FakeTalker())
        task = asyncio.create_task(outbound.dial(house, ours, TRUNK, "9195551234", agent="shop"))
        await asyncio.sleep(3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(1)
        assert len(cancelled) == 1
        assert house.engine.streams[0].closed
        (record,) = records(tmp_path)
        assert record["ending"]["cause"] == "shut down"
        await ours.close()
        await carrier.close()

    run(main)


def test_words_for_every_status():
    assert outcome_of(200) == "answered"
    assert outcome_of(302) == "failed"
    assert outcome_of(407) == "not allowed"


def test_the_number_takes_the_place_of_the_user():
    uri = replace_user(Uri.parse("sip:x@sbc.example.com:5061;transport=tls"), "+19195551234")
    assert str(uri) == "sip:+19195551234@sbc.example.com:5061;transport=tls"
    assert str(replace_user(Uri.parse("sip:sbc.example.com"), "echo")) == "sip:echo@sbc.example.com"


def test_an_agent_that_cannot_be_had_is_a_mistake_of_configuration(tmp_path):
    def seat(_definition, _seat):
        raise ConfigError("flite is not installed")

    async def main():
        ours = endpoint(link=Link(), host="127.0.0.1", port=5060)
        await ours.start()
        house = replace(exchange(tmp_path), seat=seat)
        with pytest.raises(ConfigError, match="flite"):
            await outbound.dial(house, ours, TRUNK, "9195551234", agent="shop")
        (record,) = records(tmp_path)
        assert (record["direction"], record["ending"]["side"]) == ("outbound", "us")
        await ours.close()

    run(main)


def test_a_fault_of_ours_is_a_call_that_failed(tmp_path):
    async def main():
        ours = endpoint(link=Link(), host="127.0.0.1", port=5060)
        await ours.start()
        house = replace(exchange(tmp_path), seat=lambda *_: 1 / 0)
        dialled = await outbound.dial(house, ours, TRUNK, "9195551234", agent="shop")
        assert dialled.outcome == "failed"
        (record,) = records(tmp_path)
        assert "ZeroDivisionError" in record["faults"][0]["error"]
        await ours.close()

    run(main)
