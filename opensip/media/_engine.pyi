"""The native media engine in C (csrc/); it may be missing where it could not be built."""

from typing_extensions import Buffer

class Srtp:
    """One direction of an SRTP session; refuses with ValueError, which says why as SrtpError."""

    def __new__(cls, suite: str, master: Buffer, /) -> Srtp: ...
    def protect(self, packet: Buffer, /) -> bytes:
        """Encrypt and authenticate a packet we send."""
    def unprotect(self, packet: Buffer, /) -> bytes:
        """Check and decrypt a packet we received."""

def parse(packet: Buffer, /) -> tuple[int, int, int, int, bytes, bool] | None:
    """Read the first six fields of RtpPacket; None when it is none."""

def decode(law: str, codes: Buffer, /) -> bytes:
    """Decode G.711 codes into 16-bit samples of the machine's byte order."""

def encode(law: str, samples: Buffer, /) -> bytes:
    """Encode 16-bit samples into G.711 codes."""
