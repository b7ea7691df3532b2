"""How the media of calls are done, as a trunk has it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaConfig:
    """How the media of a trunk's calls are done.

    `address` is bound, `public_address` stands in SDP (behind 1:1 NAT). `srtp` is "required",
    "preferred" or "off", `keying` "sdes", "dtls" or "auto"; `codecs` are encoding names in order of
    preference; `ptime` is in milliseconds, the time-outs in seconds. A peer that we join to another
    may be asked for another codec with `change_codec`. `symmetric` answers to where RTP comes from;
    `hear_tones` finds digits in the sound too.
    """

    address: str
    public_address: str | None = None
    srtp: str = "preferred"
    keying: str = "sdes"
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    ptime: int = 20
    first_timeout: float = 30.0
    silence_timeout: float = 15.0
    change_codec: bool = True
    symmetric: bool = True
    hear_tones: bool = False
