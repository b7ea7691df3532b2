"""Two legs of a call joined: each hears the other, until one of them has had enough."""

import asyncio

import structlog

from opensip.call.leg import Leg, LegEnded
from opensip.errors import OpenSipError

log = structlog.get_logger(__name__)

_Signal = str | bool  # a digit, or whether the peer holds us


async def bridge(caller: Leg, target: Leg) -> LegEnded:
    """Join two answered legs and wait for the end of either; the target's is closed then.

    Digits and hold of one side reach the other. The `side` of an end by the target is "target".
    """
    pairs = ((caller, target), (target, caller))
    endings = [asyncio.ensure_future(leg.wait_ended()) for leg, _ in pairs]
    carrying = [asyncio.ensure_future(_carry(here, there)) for here, there in pairs]
    try:
        await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
        if endings[0].done():
            return endings[0].result()
        ended = endings[1].result()
        side = "target" if ended.side == "caller" else ended.side
        return LegEnded(side, ended.cause, ended.sip_status)
    finally:
        for task in (*endings, *carrying):
            task.cancel()
        caller.relay_to(None)
        await target.close()


async def _carry(here: Leg, there: Leg) -> None:
    """Let `there` hear what `here` says, keys and does, until cancelled."""
    signals: asyncio.Queue[_Signal] = asyncio.Queue()
    here.on_digit, here.on_held = signals.put_nowait, signals.put_nowait
    here.relay_to(there.sink)
    if here.is_held:
        signals.put_nowait(True)
    while True:
        signal = await signals.get()
        if isinstance(signal, bool):
            await there.hold(signal)
            continue
        try:
            await there.send_digits(signal)
        except OpenSipError as error:
            log.warning("digit_lost", why=str(error))
