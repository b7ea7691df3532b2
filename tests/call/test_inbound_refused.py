"""Calls that no agent takes, and what they are answered with."""

import asyncio

import pytest

from opensip.carriers import Number, Trunk
from opensip.media.session import MediaConfig, MediaSession
from tests.fakes.agents import Words
from tests.fakes.exchanges import records
from tests.fakes.house import TRUNK, House, run
from tests.fakes.media_engine import FakeEngine, FakePorts
from tests.fakes.talkers import FakeTalker


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
