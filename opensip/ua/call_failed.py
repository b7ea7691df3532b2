"""A call that came to nothing."""

from opensip.errors import OpenSipError
from opensip.sip.headers import Headers
from opensip.sip.reasons import reason_of


class CallFailed(OpenSipError):
    """The INVITE ended without a session: refused, redirected, cancelled or never answered.

    `status` is that of the final response, 408 for a time-out, 487 for a CANCEL, 503 where
    nothing could be sent. `headers` are those of the response, empty where none came.
    """

    def __init__(self, status: int, reason: str = "", headers: Headers | None = None) -> None:
        self.status = status
        self.sip_status = status
        self.reason = reason or reason_of(status)
        self.headers = headers or Headers()
        super().__init__(f"{status} {self.reason}")
