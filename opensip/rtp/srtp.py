"""Secure RTP: RFC 3711, with the AES-GCM suites of RFC 7714. The one door to libsrtp."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

import pylibsrtp
from pylibsrtp import Policy

from opensip.errors import LocalProtocolError, OpenSipError

SEQUENCES = 1 << 16  # numbers until a sequence wraps


class SrtpError(OpenSipError):
    """A packet could not be protected or unprotected. Count it, drop it, and go on.

    `why` is "replayed", "forged" (the authentication failed) or "malformed".
    """

    def __init__(self, message: str, *, why: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True)
class Suite:
    """A crypto suite by its SDES name; lengths in bytes (RFC 4568 section 6.2, RFC 7714)."""

    name: str
    key_length: int
    salt_length: int
    profile: int

    @property
    def master_length(self) -> int:
        """Bytes of `inline:`: master key, then master salt."""
        return self.key_length + self.salt_length


# In the order we offer them: carriers know the first best.
SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite("AES_CM_128_HMAC_SHA1_80", 16, 14, Policy.SRTP_PROFILE_AES128_CM_SHA1_80),
        Suite("AES_CM_128_HMAC_SHA1_32", 16, 14, Policy.SRTP_PROFILE_AES128_CM_SHA1_32),
        Suite("AEAD_AES_128_GCM", 16, 12, Policy.SRTP_PROFILE_AEAD_AES_128_GCM),
        Suite("AEAD_AES_256_GCM", 32, 12, Policy.SRTP_PROFILE_AEAD_AES_256_GCM),
    )
}


def suite_of(name: str, key: bytes) -> Suite:
    """Give the suite of a name and its master key. Raises LocalProtocolError where it has none."""
    if name not in SUITES:
        raise LocalProtocolError(f"SRTP suite {name!r} is not one of {', '.join(SUITES)}")
    suite = SUITES[name]
    if len(key) != suite.master_length:  # libsrtp itself would let a longer one pass
        raise LocalProtocolError(
            f"{name} needs {suite.master_length} bytes of key and salt, not {len(key)}"
        )
    return suite


class SrtpSession:
    """One master key and the state of the streams under it, RTP and RTCP.

    Use a session in one direction: SDES has a key for each. Keep a receiving session over
    re-offers with the same key, for a new one does not know how often the sequence wrapped.
    Sequence numbers must not go back when sending.
    """

    def __init__(self, suite: str, key: bytes) -> None:
        self.suite = suite_of(suite, key)
        self.key = key
        self._sending: pylibsrtp.Session | None = None
        self._receiving: pylibsrtp.Session | None = None
        self._earlier: tuple[int, int] | None = None  # SSRC and index, under the key before
        self._ahead: pylibsrtp.Session | None = None  # which has come there

    def follow(self, ssrc: int, index: int) -> None:
        """Go on from another key, under which a source had come to `index`: wraps and sequence.

        RFC 3711 section 3.3.1: the rollover counter "MUST NOT be reset to zero"; many peers begin
        it anew all the same. Both are good until a packet of the source has come.
        """
        self._earlier = (ssrc, index) if index > SEQUENCES else None

    def protect(self, packet: bytes) -> bytes:
        """Encrypt and authenticate an RTP packet we send."""
        return _run(self._sender().protect, packet)

    def unprotect(self, packet: bytes) -> bytes:
        """Check and decrypt an SRTP packet we received. Raises SrtpError."""
        try:
            clear = _run(self._receiver().unprotect, packet)
        except SrtpError:
            if self._earlier is None or packet[8:12] != self._earlier[0].to_bytes(4):
                raise
            self._ahead = self._ahead or self._advanced(*self._earlier)
            clear = _run(self._ahead.unprotect, packet)
            self._receiving = self._ahead
        self._earlier = self._ahead = None
        return clear

    def protect_rtcp(self, packet: bytes) -> bytes:
        """Encrypt and authenticate a compound RTCP packet we send."""
        return _run(self._sender().protect_rtcp, packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """Check and decrypt an SRTCP packet we received. Raises SrtpError."""
        return _run(self._receiver().unprotect_rtcp, packet)

    def _sender(self) -> pylibsrtp.Session:
        if self._sending is None:
            self._sending = self._open(Policy.SSRC_ANY_OUTBOUND)
        return self._sending

    def _receiver(self) -> pylibsrtp.Session:
        if self._receiving is None:
            self._receiving = self._open(Policy.SSRC_ANY_INBOUND)
        return self._receiving

    def _advanced(self, ssrc: int, index: int) -> pylibsrtp.Session:
        """Open a receiver that has come to `index`: libsrtp's counter moves by packets alone."""
        tx, rx = self._open(Policy.SSRC_ANY_OUTBOUND), self._open(Policy.SSRC_ANY_INBOUND)
        for at in (*range(0, index, SEQUENCES // 4), index):
            header = struct.pack(">BBHII", 0x80, 0, at % SEQUENCES, 0, ssrc)
            rx.unprotect(tx.protect(header))
        return rx

    def _open(self, ssrc_type: int) -> pylibsrtp.Session:
        policy = Policy(key=self.key, ssrc_type=ssrc_type, srtp_profile=self.suite.profile)
        return pylibsrtp.Session(policy)


def _run(operation: Callable[[bytes], bytes], packet: bytes) -> bytes:
    try:
        return operation(packet)
    except pylibsrtp.Error as error:
        text = str(error)
        replayed = "replay" in text or "too old" in text
        forged = "authentication" in text or "cipher" in text
        why = "replayed" if replayed else "forged" if forged else "malformed"
        raise SrtpError(f"SRTP: {text}", why=why) from error
    except ValueError as error:  # longer than libsrtp's buffer of 1500 bytes
        raise SrtpError(f"SRTP: {error}", why="malformed") from error
