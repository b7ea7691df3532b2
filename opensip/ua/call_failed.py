"""A call that came to nothing."""

from opensip.errors import OpenSipError, RemoteProtocolError
from opensip.sip.fields import Reason
from opensip.sip.headers import Headers
from opensip.sip.reasons import reason_of
from opensip.sip.response_fields import Warning as WarningValue

_LONGEST = 300  # characters of the peer's words that are shown


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

    @property
    def why(self) -> str:
        """What the Warning and Reason of the response say, printable; "" where there is neither."""
        told = [_warning(value) for value in self.headers.readable_values("Warning")]
        told += [_cause(value) for value in self.headers.readable_values("Reason")]
        shown = "; ".join(dict.fromkeys(filter(None, told)))
        return "".join(c if c.isprintable() else " " for c in shown)[:_LONGEST]


def _warning(value: str) -> str:
    try:
        return WarningValue.parse(value).text
    except RemoteProtocolError:
        return value  # people can read it all the same


def _cause(value: str) -> str:
    try:
        reason = Reason.parse(value)
    except RemoteProtocolError:
        return value
    return reason.text or (
        reason.protocol if reason.cause is None else f"{reason.protocol} {reason.cause}"
    )
