"""Our 2xx to an INVITE, sent until its ACK comes: RFC 3261 section 13.3.1.4."""

from opensip.sip.message import Request, Response
from opensip.sip.multipart import description_of
from opensip.sip.timers import Timers
from opensip.sip.transaction import TransactionKey
from opensip.sip.usage import Respond


class InviteAnswer:
    """A 2xx without an ACK so far. Over any transport: a proxy's next hop may lose it.

    `offered` tells that it made an offer, since neither the INVITE nor a 1xx had one.
    """

    __slots__ = (
        "_resend_after",
        "_resend_at",
        "_timers",
        "command",
        "cseq",
        "expire_at",
        "offered",
    )

    def __init__(
        self,
        key: TransactionKey,
        request: Request,
        response: Response,
        *,
        timers: Timers,
        now: float,
    ) -> None:
        self.command = Respond(key, response)
        self.cseq = request.cseq.number
        self.offered = bool(response.body) and not description_of(request)
        self.expire_at = now + timers.limit
        self._timers = timers
        self._resend_after = timers.t1
        self._resend_at = now + timers.t1

    def get_timer(self) -> float:
        """Tell when it must next be sent, or is given up."""
        return min(self._resend_at, self.expire_at)

    def is_due(self, now: float) -> bool:
        """Tell whether it must be sent now; doubles the interval up to T2."""
        if now < self._resend_at:
            return False
        self._resend_after = min(2 * self._resend_after, self._timers.t2)
        self._resend_at = now + self._resend_after
        return True
