"""RTP payload formats: RFC 3551 section 6 and the media subtypes registered for RTP."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class PayloadFormat:
    """What a payload type number stands for: encoding, clock and parameters.

    `clock_rate` is in Hz of the RTP timestamp (G.722 says 8000 and means 16000, RFC 3551
    section 4.5.2). `static_type` is the number of RFC 3551 table 4, `fmtp` the format
    parameters as they stand in `a=fmtp`.
    """

    encoding_name: str
    clock_rate: int
    channels: int = 1
    static_type: int | None = None
    fmtp: str = ""

    @property
    def rtpmap(self) -> str:
        """The value of `a=rtpmap` after the payload type: name/clock[/channels]."""
        channels = f"/{self.channels}" if self.channels != 1 else ""
        return f"{self.encoding_name}/{self.clock_rate}{channels}"

    def matches(self, other: "PayloadFormat") -> bool:
        """Tell whether both name the same encoding; names are case-insensitive (RFC 4855)."""
        return (
            self.clock_rate == other.clock_rate
            and self.channels == other.channels
            and self.encoding_name.upper() == other.encoding_name.upper()
        )

    def with_fmtp(self, fmtp: str) -> "PayloadFormat":
        """Return the same format with other parameters."""
        return replace(self, fmtp=fmtp)


PCMU = PayloadFormat("PCMU", 8000, static_type=0)
PCMA = PayloadFormat("PCMA", 8000, static_type=8)
G722 = PayloadFormat("G722", 8000, static_type=9)
# RFC 7587 section 7: always 48000 and two channels, whatever is sent. We hear and say 8 kHz.
OPUS = PayloadFormat(
    "opus", 48000, channels=2, fmtp="maxplaybackrate=16000;sprop-maxcapturerate=16000"
)
TELEPHONE_EVENT = PayloadFormat("telephone-event", 8000, fmtp="0-15")


def event_formats(codecs: Iterable[PayloadFormat]) -> tuple[PayloadFormat, ...]:
    """Give telephone events at each clock rate of the codecs (RFC 4733 section 2.1)."""
    rates = dict.fromkeys(codec.clock_rate for codec in codecs)
    return tuple(replace(TELEPHONE_EVENT, clock_rate=rate) for rate in rates)


def parameters(fmtp: str) -> dict[str, str]:
    """Read format parameters of the form name=value;name=value; names in lower case."""
    pairs = (part.partition("=") for part in fmtp.split(";"))
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}


# RFC 3551 table 4: the numbers that mean something without an rtpmap. 19, 1 and 2 are reserved.
STATIC_FORMATS: dict[int, PayloadFormat] = {
    int(f.static_type or 0): f
    for f in (
        PCMU,
        PayloadFormat("GSM", 8000, static_type=3),
        PayloadFormat("G723", 8000, static_type=4),
        PayloadFormat("DVI4", 8000, static_type=5),
        PayloadFormat("DVI4", 16000, static_type=6),
        PayloadFormat("LPC", 8000, static_type=7),
        PCMA,
        G722,
        PayloadFormat("L16", 44100, channels=2, static_type=10),
        PayloadFormat("L16", 44100, static_type=11),
        PayloadFormat("QCELP", 8000, static_type=12),
        PayloadFormat("CN", 8000, static_type=13),
        PayloadFormat("MPA", 90000, static_type=14),
        PayloadFormat("G728", 8000, static_type=15),
        PayloadFormat("DVI4", 11025, static_type=16),
        PayloadFormat("DVI4", 22050, static_type=17),
        PayloadFormat("G729", 8000, static_type=18),
    )
}
