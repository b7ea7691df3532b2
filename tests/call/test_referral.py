import asyncio

import pytest

from opensip.call.bridge import IN_VAIN, bridge
from opensip.call.referral import PassOn
from opensip.ua.call_failed import CallFailed
from tests.fakes.legs import FakeLeg, FakeReferral
from tests.fakes.virtual_time_loop import VirtualTimeLoop

COLLEAGUE = "sip:colleague@pbx.example"
CONTEXT = (("X-Opensip-Call-Id", "c-1"),)


class Colleague:
    """Answers after some seconds, or refuses."""

    def __init__(self, seconds=3.0, status=200):
        self.seconds, self.status = seconds, status
        self.called = []
        self.leg = FakeLeg()
        self.cancelled = False

    async def __call__(self, target, headers, progressed):
        self.called.append((target, tuple(headers)))
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.status is None:
            raise RuntimeError("a fault of ours")
        if self.status != 200:
            raise CallFailed(self.status, "no")
        return self.leg


def bridged(meanwhile, *, allowed=True, **answers):
    """Join a caller and a human, do something, and give the end and all who were there."""

    async def main():
        caller, human, colleague = FakeLeg(), FakeLeg(), Colleague(**answers)
        pass_on = PassOn(
            colleague,
            hosts=frozenset({"pbx.example"}),
            ours=frozenset({"ours.example"}),
            carrier="carrier.example",
            context=CONTEXT,
        )
        caller.on_digit = heard.append
        joined = asyncio.create_task(bridge(caller, human, pass_on if allowed else None))
        await asyncio.sleep(1)
        await meanwhile(caller, human, colleague)
        ended = await joined
        caller.on_digit("5")
        assert heard == ["5"]  # by whom heard it before
        return ended, caller, human, colleague

    heard = []
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def test_the_caller_is_joined_with_whom_the_human_names():
    referral = FakeReferral(COLLEAGUE, "<sip:human@pbx.example>")

    async def meanwhile(caller, human, colleague):
        await human.on_refer(referral)
        await asyncio.sleep(1)
        assert caller.relayed is colleague.leg.sink
        assert colleague.leg.relayed is caller.sink
        assert human.closed == 1
        colleague.leg.end()

    ended, caller, _, colleague = bridged(meanwhile)
    assert referral.told == [202, 200]
    assert (ended.side, ended.cause) == ("target", "bye")
    headers = (*CONTEXT, ("Referred-By", "<sip:human@pbx.example>"))
    assert colleague.called == [(COLLEAGUE, headers)]
    assert (colleague.leg.closed, caller.closed) == (1, 0)


@pytest.mark.parametrize(
    ("to", "called"),
    [
        ("tel:+19195551234", "sip:+19195551234@carrier.example;user=phone"),
        ("sip:9195551234@ours.example", "sip:+19195551234@carrier.example;user=phone"),
        ("sip:200@pbx.example;method=BYE", "sip:200@pbx.example"),
        ("sip:200@PBX.example;transport=tcp", "sip:200@PBX.example;transport=tcp"),
    ],
)
def test_numbers_and_telephones_of_its_own_host_may_be_named(to, called):
    async def meanwhile(_, human, colleague):
        await human.on_refer(FakeReferral(to))
        colleague.leg.end()

    assert bridged(meanwhile)[3].called[0][0] == called


def test_of_the_headers_that_are_asked_for_the_call_to_be_replaced_alone_is_told():
    uri = f"{COLLEAGUE}?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc&From=%3Csip:boss%40pbx%3E"

    async def meanwhile(_, human, colleague):
        await human.on_refer(FakeReferral(uri))
        colleague.leg.end()

    called = bridged(meanwhile)[3].called
    assert called == [(COLLEAGUE, (*CONTEXT, ("Replaces", "a;to-tag=b;from-tag=c")))]


@pytest.mark.parametrize(
    ("to", "allowed", "status"),
    [
        (COLLEAGUE, False, 603),
        ("sip:x@elsewhere.example", True, 403),
        ("sip:x@ours.example", True, 403),
        ("sip:200@pbx.example;maddr=198.51.100.66", True, 403),
    ],
)
def test_nobody_is_passed_on_without_leave_nor_elsewhere(to, allowed, status):
    referral = FakeReferral(to)

    async def meanwhile(caller, human, colleague):
        await human.on_refer(referral)
        assert caller.relayed is human.sink
        caller.end()

    colleague = bridged(meanwhile, allowed=allowed)[3]
    assert (referral.told, colleague.called) == ([status], [])


def test_one_is_called_at_a_time():
    first, second = FakeReferral(COLLEAGUE), FakeReferral(COLLEAGUE)

    async def meanwhile(_, human, colleague):
        following = asyncio.create_task(human.on_refer(first))
        await asyncio.sleep(1)
        await human.on_refer(second)
        await following
        colleague.leg.end()

    bridged(meanwhile)
    assert (first.told, second.told) == ([202, 200], [491])


def test_a_human_who_stays_learns_that_nobody_answered_and_goes_on():
    referral = FakeReferral(COLLEAGUE)

    async def meanwhile(caller, human, _):
        await human.on_refer(referral)
        assert caller.relayed is human.sink
        caller.end()

    ended, *_ = bridged(meanwhile, status=486)
    assert (referral.told, ended.side) == ([202, 486], "caller")


def leave_behind(caller, human):
    """Let the human refer the caller to a colleague, holding it, and go at once."""
    human.is_held = True
    referring = asyncio.ensure_future(human.on_refer(FakeReferral(COLLEAGUE)))
    asyncio.get_running_loop().call_later(1, human.end)
    return referring


def test_a_caller_left_behind_hears_a_tone_and_then_whom_it_was_passed_to():
    async def meanwhile(caller, human, colleague):
        await leave_behind(caller, human)
        assert next(at for at, _ in caller.sink.written) == pytest.approx(2)
        await asyncio.sleep(1)
        assert caller.relayed is colleague.leg.sink
        assert caller.holds == [False]
        colleague.leg.end()

    assert bridged(meanwhile)[0].side == "target"


def test_a_caller_left_to_nobody_is_given_back():
    async def meanwhile(caller, human, _):
        await leave_behind(caller, human)

    ended, caller, *_ = bridged(meanwhile, status=480)
    assert ended.cause == IN_VAIN
    assert (caller.holds, caller.closed) == ([False], 0)


def test_a_fault_on_the_way_leaves_no_caller_alone_for_ever():
    async def meanwhile(caller, human, colleague):
        await leave_behind(caller, human)

    assert bridged(meanwhile, status=None)[0].cause == IN_VAIN


def test_who_answered_as_the_call_ends_is_hung_up_on():
    async def meanwhile(caller, human, colleague):
        async def never(on):
            await asyncio.Event().wait()

        caller.hold = never
        await leave_behind(caller, human)
        await asyncio.sleep(1)
        raise Over(colleague)

    class Over(Exception):
        pass

    with pytest.raises(Over) as over:
        bridged(meanwhile)
    assert over.value.args[0].leg.closed == 1


def test_a_caller_who_goes_meanwhile_calls_nobody():
    async def meanwhile(caller, human, _):
        asyncio.get_running_loop().call_later(1, caller.end)
        await leave_behind(caller, human)

    ended, _, _, colleague = bridged(meanwhile, seconds=30)
    assert (ended.side, colleague.cancelled) == ("caller", True)
