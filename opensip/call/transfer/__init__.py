"""Ways of passing a caller to a human: a table of strategies, tried in a trunk's order."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from opensip.call.leg import Referrer
from opensip.call.transfer.bridge import Bridge
from opensip.call.transfer.refer import Refer
from opensip.call.transfer.strategy import (
    CallOut,
    Transfer,
    TransferResult,
    TransferStrategy,
)
from opensip.events import Fault, Observer, TransferEnded, TransferProgress, TransferStarted

log = structlog.get_logger(__name__)

__all__ = [
    "STRATEGIES",
    "CallOut",
    "Transfer",
    "TransferResult",
    "TransferStrategy",
    "hand_over",
]

# Answers of a human's telephone, not of what is on the way there: busy, not there, unwilling.
ASKED = frozenset({404, 410, 480, 484, 486, 487, 600, 603, 604, 607, 608})

STRATEGIES: Mapping[str, TransferStrategy] = {"refer": Refer(), "bridge": Bridge()}


async def hand_over(
    leg: Referrer,
    transfer: Transfer,
    names: Sequence[str],
    *,
    observer: Observer,
    now: Callable[[], float],
) -> TransferResult:
    """Try the strategies `names` in turn until one has transferred the caller.

    Those that the peer says it cannot follow are tried only where it can follow none: Allow
    is a hint that many leave incomplete. A target that was asked and did not answer is asked
    in no other way. The last result tells why it did not come off.
    """
    suited = [name for name in names if STRATEGIES[name].suits(leg, transfer)] or list(names)
    result = TransferResult("failed")
    for name in suited:
        observer.note(TransferStarted(now(), name, transfer.target))

        def progressed(way: str, status: int) -> None:
            observer.note(TransferProgress(now(), way, status))

        try:
            result = await STRATEGIES[name].transfer(leg, transfer, progressed)
        except asyncio.CancelledError:  # the caller has gone
            given_up = STRATEGIES[name].unfinished
            observer.note(TransferEnded(now(), name, given_up.outcome, given_up.sip_status))
            raise
        except Exception as error:  # one strategy: its fault must not cost us the caller
            log.exception("transfer_failed", strategy=name)
            observer.note(Fault(now(), f"transfer {name}", repr(error)))
            result = TransferResult("failed")
        if result.why:
            log.warning("transfer_refused", strategy=name, why=result.why)
            observer.note(Fault(now(), f"transfer {name}", result.why))
        observer.note(TransferEnded(now(), name, result.outcome, result.sip_status))
        if result.outcome == "transferred" or _was_asked(result):
            break
    return result


def _was_asked(result: TransferResult) -> bool:
    return result.outcome == "failed" and result.sip_status in ASKED
