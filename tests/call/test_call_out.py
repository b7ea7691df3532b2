import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from opensip.call.call_out import TargetCalls
from opensip.carriers import Trunk
from opensip.errors import NotAllowed
from opensip.media.session import MediaConfig, MediaSession
from opensip.ua.call_failed import CallFailed
from tests.fakes.agents import endpoint
from tests.fakes.exchanges import exchange
from tests.fakes.legs import Noted
from tests.fakes.media_engine import FakeEngine, FakePorts
from tests.fakes.sip_link import Link
from tests.fakes.virtual_time_loop import VirtualTimeLoop

TRUNK = Trunk(
    "carrier", termination="sip:trunk@127.0.0.2:5060", caller_ids=("+15550001111",), srtp="required"
)
DESK = "sip:desk@127.0.0.2:5060"
CONTEXT = (("X-Opensip-Intent", "person"),)


async def pick_up(call):
    media = MediaSession(
        FakeEngine(asyncio.get_running_loop()),
        FakePorts(port=30000),
        MediaConfig("127.0.0.2", srtp="preferred"),
    )
    call.provisional(180)
    await asyncio.sleep(1)
    session = await call.answer(media)
    await session.wait_ended()


async def ring(call):
    call.provisional(180)
    await call.wait_cancelled()


def call_out(data, target, answer=pick_up, *, trunk=TRUNK, caller="+14155550100", patience=120,
             transport="UDP", books=None, spoken=str, peer=str):  # fmt: skip
    """Call a target; give what came of it, the INVITEs, statuses and streams."""

    async def main():
        invites, statuses, link = [], [], Link()

        async def take(call):
            invites.append(call.request)
            await answer(call)

        there = endpoint(take, link=link, host="127.0.0.2", port=5060, transport=transport)
        ours = endpoint(link=link, host="127.0.0.1", port=5060, transport=transport)
        await there.start()
        await ours.start()
        house = exchange(data)
        calls = TargetCalls(house, ours, trunk, books or Noted(), caller, spoken, peer)
        try:
            async with asyncio.timeout(patience):
                leg = await calls(target, CONTEXT, statuses.append)
            await leg.close()
            outcome = await leg.wait_ended()
        except (CallFailed, NotAllowed, TimeoutError) as error:
            outcome = error
        await asyncio.sleep(1)
        await ours.close()
        await there.close()
        return outcome, invites, statuses, house.engine.streams

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_a_sip_uri_is_called_as_the_caller_with_the_context(tmp_path):
    ended, (invite,), statuses, _ = call_out(tmp_path, DESK)
    assert str(invite.uri) == DESK
    assert invite.from_.uri.user == "+14155550100"
    assert invite.headers.get("X-Opensip-Intent") == "person"
    assert not invite.headers.has("P-Asserted-Identity")
    assert b"RTP/AVP" in invite.body  # no keys in clear
    assert b"crypto" not in invite.body
    assert statuses == [180]
    assert ended.side == "us"


def test_a_number_goes_by_the_trunk_as_one_of_its_own(tmp_path):
    def answer(call):
        call.reject(486)
        return asyncio.sleep(0)

    failed, (invite,), _, streams = call_out(tmp_path, "sip:+19195551234@h;user=phone", answer)
    assert str(invite.uri) == "sip:+19195551234@127.0.0.2:5060"
    assert invite.headers.get("P-Asserted-Identity").startswith("<sip:+15550001111@")
    assert b"RTP/SAVP" in invite.body
    assert failed.status == 486
    assert [stream.closed for stream in streams] == [True]


def test_a_phone_that_takes_no_keys_beside_rtp_avp_is_offered_rtp_savp(tmp_path):
    async def answer(call):
        if b"RTP/AVP" in call.offer:
            call.reject(488)
        else:
            await pick_up(call)

    target, trunk = DESK + ";transport=tls", replace(TRUNK, srtp="preferred")
    _, invites, *_ = call_out(tmp_path, target, answer, trunk=trunk, transport="TLS")
    assert [b"RTP/SAVP" in invite.body for invite in invites] == [False, True]
    assert b"crypto" in invites[0].body


def test_a_trunk_that_requires_srtp_requires_it_of_a_target_over_tls(tmp_path):
    with capture_logs() as logs:
        ended, (invite,), *_ = call_out(tmp_path, DESK + ";transport=tls", transport="TLS")
    assert b"RTP/SAVP" in invite.body
    assert b"crypto" in invite.body
    assert ended.side == "us"
    assert not [line for line in logs if line["event"] == "target_in_clear"]


@pytest.mark.parametrize(("srtp", "count"), [("required", 1), ("preferred", 0), ("off", 0)])
def test_a_target_in_the_clear_is_called_and_logged_where_srtp_is_required(tmp_path, srtp, count):
    with capture_logs() as logs:
        ended, *_ = call_out(tmp_path, DESK, trunk=replace(TRUNK, srtp=srtp))
    assert ended.side == "us"
    told = [line for line in logs if line["event"] == "target_in_clear"]
    assert len(told) == count
    assert all((line["trunk"], line["host"]) == ("carrier", "127.0.0.2") for line in told)


@pytest.mark.parametrize(
    "number", ["sip:+19195551234@127.0.0.2:5060;user=phone", "tel:+19195551234"]
)
def test_a_number_that_only_the_caller_itself_would_take_is_not_called(tmp_path, number):
    trunk = replace(TRUNK, termination="")
    refused, invites, *_ = call_out(tmp_path, number, trunk=trunk, peer=lambda: "127.0.0.2:5060")
    assert isinstance(refused, NotAllowed)
    assert "trunk carrier has no outbound.termination" in str(refused)
    assert invites == []


def test_a_number_at_a_gateway_that_the_directory_names_is_called_there(tmp_path):
    target, trunk = "sip:+19195551234@127.0.0.2:5060;user=phone", replace(TRUNK, termination="")
    _, (invite,), *_ = call_out(tmp_path, target, trunk=trunk, peer=lambda: "127.0.0.3:5060")
    assert str(invite.uri) == target


def test_who_is_not_to_be_shown_is_not(tmp_path):
    _, (invite,), *_ = call_out(tmp_path, DESK, caller="")
    assert invite.from_.uri.host == "anonymous.invalid"
    assert invite.headers.get("Privacy") == "id"


@pytest.mark.parametrize("target", ["sip:911@pbx", "tel:112;phone-context=+1", "sip:9911@h"])
def test_nobody_is_put_through_to_emergency_services(tmp_path, target):
    refused, invites, *_ = call_out(tmp_path, target)
    assert isinstance(refused, NotAllowed)
    assert invites == []


def test_a_caller_who_leaves_ends_the_ringing(tmp_path):
    outcome, invites, statuses, streams = call_out(tmp_path, DESK, ring, patience=5)
    assert isinstance(outcome, TimeoutError)
    assert len(invites) == 1
    assert statuses == [180]
    assert [stream.closed for stream in streams] == [True]


def test_a_target_may_ring_for_a_minute(tmp_path):
    failed, *_ = call_out(tmp_path, DESK, ring)
    assert failed.status == 408


@pytest.mark.parametrize("late", [0.0, 0.001, 0.01, 0.05])
def test_a_caller_who_leaves_as_the_target_answers_leaves_nobody_behind(tmp_path, late):
    """Whichever is first, the 200 or our CANCEL: the target is hung up on."""
    ends = []

    async def answer(call):
        media = MediaSession(
            FakeEngine(asyncio.get_running_loop()),
            FakePorts(port=30000),
            MediaConfig("127.0.0.2", srtp="preferred"),
        )
        call.provisional(180)
        await asyncio.sleep(5)
        session = await call.answer(media)
        ends.append((await session.wait_ended()).by)

    outcome, _, _, streams = call_out(tmp_path, DESK, answer, patience=5 + late)
    if isinstance(outcome, TimeoutError):
        assert ends in ([], ["remote"])
    else:
        assert outcome.side == "us"
    assert all(stream.closed for stream in streams)


@pytest.mark.parametrize(
    ("spoken", "first"), [("PCMA", "8"), ("PCMU", "0"), ("", "0"), ("opus", "0")]
)
def test_the_codec_of_the_caller_is_offered_first_where_the_trunk_has_it(tmp_path, spoken, first):
    _, (invite,), _, _ = call_out(tmp_path, DESK, spoken=lambda: spoken)
    [audio] = [line for line in invite.body.decode().splitlines() if line.startswith("m=audio")]
    assert audio.split()[3] == first
