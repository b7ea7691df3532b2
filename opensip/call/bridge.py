"""Two legs of a call joined: each hears the other, until one of them has had enough."""

import asyncio
from dataclasses import replace
from typing import Any

import structlog

from opensip.call.hold import play_hold_tone, play_hold_tone_for
from opensip.call.leg import Leg, LegEnded
from opensip.call.referral import PassOn, Referrals
from opensip.errors import OpenSipError

log = structlog.get_logger(__name__)

IN_VAIN = "passed on in vain"  # the cause where nobody is left but the caller

_Signal = str | bool  # a digit, or whether the peer holds us


async def bridge(caller: Leg, target: Leg, pass_on: PassOn | None = None) -> LegEnded:
    """Join two answered legs and wait for the end of either; the target's is closed then.

    Digits and hold of one side reach the other, who hears a tone while its holder sends nothing.
    The `side` of an end by the target is "target". With `pass_on` the target may refer the
    caller to others; where it left and none of them answered, the cause is IN_VAIN.
    """
    leaving: list[asyncio.Future[None]] = []
    before = caller.on_digit, caller.on_held
    try:
        while True:
            outcome = await _together(caller, target, pass_on)
            left = target
            if not isinstance(outcome, LegEnded):
                leaving.append(asyncio.ensure_future(left.close()))
                target = outcome
            elif outcome.cause != IN_VAIN:
                return outcome
            if left.is_held:  # and so the caller, whom its holder hears no more
                await caller.hold(False)
            if isinstance(outcome, LegEnded):
                return outcome
    finally:
        caller.on_digit, caller.on_held = before
        await asyncio.gather(target.close(), *leaving)


async def _together(caller: Leg, target: Leg, pass_on: PassOn | None) -> LegEnded | Leg:
    """Let both talk until one has gone, or give the leg that the target passes the caller to."""
    pairs = ((caller, target), (target, caller))
    if not caller.join(target):
        for here, there in pairs:
            here.relay_to(there.sink)
    endings = [asyncio.ensure_future(leg.wait_ended()) for leg, _ in pairs]
    carrying = [asyncio.ensure_future(_carry(here, there)) for here, there in pairs]
    referrals = Referrals(target, pass_on, is_alone=endings[1].done)
    passed = referrals.passed
    try:
        waited: set[asyncio.Future[Any]] = {*endings, passed}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if endings[1].done() and referrals.is_following:
            await _console(caller, endings[0], passed)
        if endings[0].done():
            await referrals.refuse_late()
            return endings[0].result()
        if passed.done():
            return passed.result() or LegEnded("target", IN_VAIN)
        ended = endings[1].result()
        return replace(ended, side="target") if ended.side == "caller" else ended
    except asyncio.CancelledError:
        await referrals.refuse_late()
        raise
    finally:
        for task in (*endings, *carrying):
            task.cancel()
        referrals.close()
        caller.part()
        caller.relay_to(None)


async def _console(
    caller: Leg, ended: "asyncio.Future[LegEnded]", passed: "asyncio.Future[Leg | None]"
) -> None:
    """Let the caller hear a tone while nobody else is there."""
    tone = asyncio.ensure_future(play_hold_tone(caller.sink))
    waited: set[asyncio.Future[Any]] = {ended, passed}
    try:
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        tone.cancel()
        caller.sink.flush()


async def _carry(here: Leg, there: Leg) -> None:
    """Let `there` know what `here` keys and does, until cancelled."""
    signals: asyncio.Queue[_Signal] = asyncio.Queue()
    here.on_digit, here.on_held = signals.put_nowait, signals.put_nowait
    if here.is_held:
        signals.put_nowait(True)
    tone: asyncio.Future[None] | None = None
    try:
        while True:
            signal = await signals.get()
            if isinstance(signal, bool):
                if tone is not None:
                    tone.cancel()
                tone = (
                    asyncio.ensure_future(play_hold_tone_for(here, there.sink)) if signal else None
                )
                await there.hold(signal)
            elif not there.is_held:  # who holds the other hears nothing of it, and not later
                await _press(there, signal)
    finally:
        if tone is not None:
            tone.cancel()


async def _press(there: Leg, digit: str) -> None:
    try:
        await there.send_digits(digit)
    except OpenSipError as error:
        log.warning("digit_lost", why=str(error))
