"""The exception tree of opensip. Each error knows the SIP status with which it is answered.

OpenSipError
├── LocalProtocolError      a bug of ours: loud, never put on the wire
├── RemoteProtocolError     the peer broke the protocol
├── TransactionTimeout      no final response within timer B or F
├── TransportFailed         the bytes could not be delivered
├── NegotiationError        no session description that both sides can use
├── MediaError              a media port or stream that cannot be had
├── ProviderError           a recognizer, dialogue or synthesizer failed
├── ToolError               a tool of an agent failed
├── NotAllowed              a policy forbids it (an emergency number, a foreign caller id)
└── ConfigError             the operator's configuration is wrong
    └── MissingExtra        an optional part is not installed
"""

from typing import ClassVar


class OpenSipError(Exception):
    """Root of the tree: `sip_status` and `reason` say how it is answered on the wire."""

    sip_status: int = 500
    reason: str = "Server Internal Error"


class LocalProtocolError(OpenSipError):
    """We broke the protocol: a bug of ours, never answered, always loud."""


class RemoteProtocolError(OpenSipError):
    """The peer broke the protocol. Answered with `sip_status`, counted, logged once."""

    def __init__(self, message: str, *, sip_status: int = 400, reason: str = "Bad Request") -> None:
        super().__init__(message)
        self.sip_status = sip_status
        self.reason = reason


class TransactionTimeout(OpenSipError):
    """No final response came in time (RFC 3261 section 8.1.3.1)."""

    sip_status = 408
    reason = "Request Timeout"


class TransportFailed(OpenSipError):
    """The transport could not deliver a message (RFC 3261 section 8.1.3.1)."""

    sip_status = 503
    reason = "Service Unavailable"


class NegotiationError(OpenSipError):
    """No codec, suite or direction in common. `warning` is RFC 3261 section 20.43 text.

    `warning_code` is 305 (incompatible media format) or 399 (miscellaneous).
    """

    sip_status = 488
    reason = "Not Acceptable Here"

    def __init__(self, warning: str, *, warning_code: int = 305) -> None:
        super().__init__(warning)
        self.warning = warning
        self.warning_code = warning_code


class MediaError(OpenSipError):
    """A media port or stream cannot be had: the pool is empty, an address cannot be bound."""

    sip_status = 503
    reason = "Service Unavailable"


class ProviderError(OpenSipError):
    """A provider failed. `retryable` tells whether the same provider may be asked again.

    `rest` is for how many seconds it asks to be left alone.
    """

    sip_status = 503
    reason = "Service Unavailable"

    def __init__(
        self, message: str, *, provider: str = "", retryable: bool = False, rest: float = 0.0
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.retryable = retryable
        self.rest = rest


class ToolError(OpenSipError):
    """A tool of an agent failed or was called with arguments that do not fit."""


class NotAllowed(OpenSipError):
    """A policy forbids it; the message names the policy and the value."""

    sip_status = 403
    reason = "Forbidden"


class ConfigError(OpenSipError):
    """The operator's configuration is wrong: names the thing, the value and the remedy."""


class MissingProgram(ConfigError):
    """A program of the system is not installed."""


class MissingExtra(ConfigError):
    """An optional part is not installed."""

    distribution: ClassVar[str] = "opensip-agent"

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the extra {extra!r}: install {self.distribution}[{extra}]"
        )
        self.extra = extra
