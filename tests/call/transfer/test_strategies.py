"""What every transfer strategy keeps to."""

import asyncio
from dataclasses import replace

import pytest

from opensip.call import transfer as transfers
from opensip.call.handoff import Handoff, read_headers
from opensip.call.transfer import STRATEGIES, Transfer, TransferResult, hand_over
from opensip.errors import NotAllowed, TransportFailed
from opensip.sip.refer_usage import ReferProgress
from opensip.ua.call_failed import CallFailed
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


@pytest.mark.parametrize("name", ["refer"])
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


def test_a_peer_that_lists_no_refer_is_asked_only_for_want_of_another_way():
    async def main():
        leg = FakeLeg(STORIES["success"][0], allows=frozenset({"INVITE", "BYE"}))
        suits = STRATEGIES["refer"].suits(leg, transfer())
        loop = asyncio.get_running_loop()
        result = await hand_over(leg, transfer(), ["refer"], observer=Noted(), now=loop.time)
        return suits, result

    assert run(main()) == (False, TransferResult("transferred", 200))


class Calling:
    """Calls targets: gives a leg after a while, or an error."""

    def __init__(self, error=None):
        self.calls = []
        self.error = error

    async def __call__(self, target, headers, progressed):
        self.calls.append((target, headers))
        progressed(180)
        await asyncio.sleep(3)
        if self.error is not None:
            raise self.error
        return FakeLeg()


def hand_over_by_all(story, calling, **more):
    async def main():
        leg, noted = FakeLeg(STORIES[story][0], **more), Noted()
        asked = replace(transfer(), call_out=calling)
        loop = asyncio.get_running_loop()
        result = await hand_over(leg, asked, list(STRATEGIES), observer=noted, now=loop.time)
        return result, leg, noted

    return run(main())


@pytest.mark.parametrize("story", ["refused", "silence"])
def test_where_refer_comes_to_nothing_we_call_ourselves(story):
    calling = Calling()
    result, _, noted = hand_over_by_all(story, calling)
    assert (result.outcome, result.sip_status) == ("transferred", 200)
    assert isinstance(result.leg, FakeLeg)
    [(target, headers)] = calling.calls
    assert target == "sip:desk@h"
    assert read_headers(headers).intent == "person"
    started = [event.strategy for event in noted.of("transfer_started")]
    assert started == ["refer", "bridge"]
    assert ("invite", 180) in [(e.way, e.sip_status) for e in noted.of("transfer_progress")]


def test_a_peer_that_knows_no_refer_is_not_asked_to_where_we_can_call():
    result, leg, _ = hand_over_by_all("success", Calling(), allows=frozenset({"INVITE", "BYE"}))
    assert result.leg is not None
    assert leg.refers == []


def test_a_human_who_is_busy_is_not_called_a_second_time():
    calling = Calling()
    result, _, _ = hand_over_by_all("failed", calling)
    assert result == TransferResult("failed", 486)
    assert calling.calls == []


def test_a_target_that_refuses_our_call_has_failed():
    result, _, noted = hand_over_by_all("refused", Calling(CallFailed(486)))
    assert result == TransferResult("failed", 486)
    result, _, _ = hand_over_by_all("refused", Calling(TransportFailed("no way")))
    assert result == TransferResult("failed", 503)
    assert noted.of("fault") == []


def test_a_target_that_we_may_not_call_is_refused_with_the_reason_in_the_books():
    result, _, noted = hand_over_by_all("refused", Calling(NotAllowed("it is a number")))
    assert result == TransferResult("refused", 403, why="it is a number")
    assert "the transfer did not work" in result.words  # nobody declined the call
    [fault] = noted.of("fault")
    assert (fault.where, fault.error) == ("transfer bridge", "it is a number")
    assert noted.of("transfer_ended")[-1].sip_status == 403


def test_the_next_strategy_follows_one_that_failed():
    async def main():
        leg, noted = FakeLeg(STORIES["refused"][0]), Noted()
        loop = asyncio.get_running_loop()
        await hand_over(leg, transfer(), ["refer", "refer"], observer=noted, now=loop.time)
        return noted

    assert run(main()).kinds.count("transfer_started") == 2


def test_a_strategy_that_breaks_has_failed_and_the_next_is_tried(monkeypatch):
    class Broken:
        def suits(self, leg, transfer):
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


@pytest.mark.parametrize(
    ("name", "outcome", "status"), [("refer", "silent", None), ("bridge", "failed", 487)]
)
def test_a_caller_who_leaves_meanwhile_ends_the_transfer_in_the_books_too(name, outcome, status):
    async def main():
        leg, noted, loop = FakeLeg(STORIES["silence"][0]), Noted(), asyncio.get_running_loop()
        asked = replace(transfer(), call_out=Calling())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await hand_over(leg, asked, [name], observer=noted, now=loop.time)
        return noted.events[-1]

    ended = run(main())
    assert (ended.kind, ended.outcome, ended.sip_status) == ("transfer_ended", outcome, status)
