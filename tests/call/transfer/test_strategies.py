"""What every transfer strategy keeps to."""

import asyncio

import pytest

from opensip.call import transfer as transfers
from opensip.call.handoff import Handoff
from opensip.call.transfer import STRATEGIES, Transfer, TransferResult, hand_over
from opensip.sip.refer_usage import ReferProgress
from tests.fakes.legs import FakeLeg, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop

TRYING = (0.1, ReferProgress("notify", 100, False))
ACCEPTED = (0.1, ReferProgress("refer", 202, False))
RINGING = (0.1, ReferProgress("notify", 180, False))

STORIES = {
    "success": (
        [ACCEPTED, TRYING, RINGING, (1.0, ReferProgress("notify", 200, True))],
        TransferResult("transferred", 200),
    ),
    "notify before the answer": (
        [TRYING, ACCEPTED, (1.0, ReferProgress("notify", 200, True))],
        TransferResult("transferred", 200),
    ),
    "refused": ([(0.1, ReferProgress("refer", 603, True))], TransferResult("refused", 603)),
    "failed": (
        [ACCEPTED, TRYING, (1.0, ReferProgress("notify", 486, True))],
        TransferResult("failed", 486),
    ),
    "silence": (
        [ACCEPTED, (30.0, ReferProgress("notify", 0, True))],
        TransferResult("silent"),
    ),
    "caller gone meanwhile": (
        [ACCEPTED, (0.5, ReferProgress("bye", 200, True))],
        TransferResult("transferred", 200),
    ),
    "the iterator just ends": ([ACCEPTED], TransferResult("silent")),
}


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def transfer():
    return Transfer("sip:desk@h", Handoff("c-1", "person"), "generic", "sip:us@here", 4096)


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("story", STORIES)
def test_every_story_ends_as_told_and_every_status_is_noted(name, story):
    progress, expected = STORIES[story]

    async def main():
        noted, leg = Noted(), FakeLeg(progress)
        loop = asyncio.get_running_loop()
        result = await hand_over(leg, transfer(), [name], observer=noted, now=loop.time)
        return result, noted, leg

    result, noted, leg = run(main())
    assert result == expected
    assert len(leg.refers) == 1
    steps = ["transfer_progress"] * len(progress)
    assert noted.kinds == ["transfer_started", *steps, "transfer_ended"]
    ended = noted.events[-1]
    assert (ended.strategy, ended.outcome, ended.sip_status) == (
        name,
        expected.outcome,
        expected.sip_status,
    )


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_peer_that_lists_no_refer_is_asked_only_for_want_of_another_way(name):
    async def main():
        leg = FakeLeg(STORIES["success"][0], allows=frozenset({"INVITE", "BYE"}))
        suits = STRATEGIES[name].suits(leg)
        loop = asyncio.get_running_loop()
        result = await hand_over(leg, transfer(), [name], observer=Noted(), now=loop.time)
        return suits, result

    assert run(main()) == (False, TransferResult("transferred", 200))


def test_the_next_strategy_follows_one_that_failed():
    async def main():
        leg, noted = FakeLeg(STORIES["refused"][0]), Noted()
        loop = asyncio.get_running_loop()
        await hand_over(leg, transfer(), ["refer", "refer"], observer=noted, now=loop.time)
        return noted

    assert run(main()).kinds.count("transfer_started") == 2


def test_a_strategy_that_breaks_has_failed_and_the_next_is_tried(monkeypatch):
    class Broken:
        def suits(self, leg):
            return True

        async def transfer(self, leg, transfer, progressed):
            raise RuntimeError("a plug-in of somebody")

    monkeypatch.setattr(transfers, "STRATEGIES", {"broken": Broken(), **STRATEGIES})

    async def main():
        leg, noted = FakeLeg(STORIES["success"][0]), Noted()
        loop = asyncio.get_running_loop()
        names = ["broken", "refer"]
        result = await hand_over(leg, transfer(), names, observer=noted, now=loop.time)
        return result, noted

    result, noted = run(main())
    assert result == TransferResult("transferred", 200)
    assert noted.kinds[:3] == ["transfer_started", "fault", "transfer_ended"]
