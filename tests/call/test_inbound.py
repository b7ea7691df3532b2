import asyncio
from dataclasses import replace

import pytest

from opensip.agent.outcome import Escalate, Hangup
from opensip.sip.uri import Uri
from tests.fakes.agents import CALLER
from tests.fakes.exchanges import AGENTS, Seats, journal, journal_kinds, records
from tests.fakes.house import TRUNK, House, run
from tests.fakes.talkers import FakeTalker


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
