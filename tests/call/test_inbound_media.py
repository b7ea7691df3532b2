"""Hold, keys, recordings and silence in a call that came in."""

import asyncio
from dataclasses import replace

import pytest

from opensip.agent.outcome import Hangup
from opensip.carriers import Number, Trunk
from opensip.media.engine import Digit
from opensip.media.session import MediaConfig
from tests.fakes.exchanges import journal, records
from tests.fakes.house import TRUNK, House, run
from tests.fakes.talkers import FakeTalker


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


def test_media_that_listen_everywhere_name_the_address_of_signalling(tmp_path):
    async def main():
        wildcard = MediaConfig("0.0.0.0")
        house = House(tmp_path, TRUNK, FakeTalker(), media=wildcard)
        session = await house.dial()
        assert house.media.negotiated.remote[0] == "127.0.0.1"
        await session.bye()
        await house.close()

    run(main())
