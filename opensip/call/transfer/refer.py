"""Blind transfer by REFER: RFC 3515, with the context escaped into Refer-To and beside it."""

from collections.abc import Callable

from opensip.call.handoff import LINE
from opensip.call.leg import Referrer
from opensip.call.transfer.strategy import Transfer, TransferResult

PATIENCE = 30.0  # seconds without a final word from the peer before the caller is taken back


class Refer:
    """Asks the peer to call the target itself, and follows its reports to the last."""

    unfinished = TransferResult("silent")  # the peer may carry it out all the same

    def suits(self, leg: Referrer, transfer: Transfer) -> bool:
        """Tell whether the peer's Allow has REFER, or says nothing."""
        return not leg.peer_allows or "REFER" in leg.peer_allows

    async def transfer(
        self, leg: Referrer, transfer: Transfer, progressed: Callable[[str, int], None]
    ) -> TransferResult:
        """Send the REFER; a final NOTIFY, or the peer's BYE before it, ends the wait."""
        refer_to, headers = compose(transfer)
        result = TransferResult("silent")
        async for progress in leg.refer(refer_to, headers, timeout=PATIENCE):
            progressed(progress.way, progress.status)
            if progress.final:
                result = judge(progress.way, progress.status)
        return result


def compose(transfer: Transfer) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Write Refer-To and the headers beside it: half of the budget each, less what is spared.

    Refer-To stays within one line, for there are targets that refuse a longer one.
    """
    room = min(transfer.budget // 2, LINE - len(transfer.target) - len("<?>"))
    inside = room if transfer.refer_to_headers else 0
    refer_to = transfer.handoff.refer_to(transfer.target, transfer.profile, budget=inside)
    left = max(transfer.budget - len(refer_to), 0)
    context = transfer.handoff.headers(transfer.profile, budget=left)
    referred_by = ("Referred-By", f"<{transfer.referred_by}>")
    return refer_to, (referred_by, *context, ("Supported", "replaces, norefersub"))


def judge(way: str, status: int) -> TransferResult:
    """Tell what a final progress means; status 0 is silence."""
    if status == 0:
        return TransferResult("silent")
    if 200 <= status < 300:
        return TransferResult("transferred", status)
    return TransferResult("refused" if way == "refer" else "failed", status)
