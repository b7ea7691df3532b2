"""The SRTCP of a native stream: what protects its reports, as `SrtpSession` does elsewhere."""

from opensip.media import _engine
from opensip.rtp.srtp import SrtpError, suite_of


class NativeSrtcp:
    """One direction of RTCP under one master key: RFC 3711 section 3.4, RFC 7714 section 9.

    Keep a context while its key is the same: a new one would use its indices again.
    """

    __slots__ = ("_core", "key", "suite")

    def __init__(self, suite: str, key: bytes) -> None:
        self.suite = suite_of(suite, key)
        self.key = key
        self._core = _engine.Srtcp(suite, key)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Encrypt and authenticate a compound RTCP packet we send."""
        try:
            return self._core.protect_rtcp(packet)
        except ValueError as error:
            raise SrtpError(f"SRTCP: {error}", why=str(error)) from error

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """Check and decrypt an SRTCP packet we received. Raises SrtpError."""
        try:
            return self._core.unprotect_rtcp(packet)
        except ValueError as error:
            raise SrtpError(f"SRTCP: {error}", why=str(error)) from error
