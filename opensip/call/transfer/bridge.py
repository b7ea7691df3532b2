"""Transfer by a call of our own: the target is called, and both legs are joined in us.

For peers that know no REFER, or would not carry it out: the caller stays with us, and nobody is
lost. The context goes with the INVITE.
"""

from collections.abc import Callable

from opensip.call.leg import Referrer
from opensip.call.transfer.strategy import Transfer, TransferResult
from opensip.errors import NotAllowed, OpenSipError
from opensip.ua.call_failed import CallFailed


class Bridge:
    """Calls the target; who answers is given in the result, to be joined with the caller."""

    unfinished = TransferResult("failed", 487)  # who answers all the same is hung up on

    def suits(self, leg: Referrer, transfer: Transfer) -> bool:
        """Tell whether somebody can call: the peer need not learn of it."""
        return transfer.call_out is not None

    async def transfer(
        self, leg: Referrer, transfer: Transfer, progressed: Callable[[str, int], None]
    ) -> TransferResult:
        """Call the target until it answers, refuses or lets it ring for too long."""
        if transfer.call_out is None:
            return TransferResult("refused")
        headers = transfer.handoff.headers(transfer.profile)
        try:
            answered = await transfer.call_out(
                transfer.target, headers, lambda status: progressed("invite", status)
            )
        except CallFailed as error:
            return TransferResult("failed", error.status)
        except NotAllowed as error:
            return TransferResult("refused", error.sip_status, why=str(error))
        except OpenSipError as error:
            return TransferResult("failed", error.sip_status)
        return TransferResult("transferred", 200, answered)
