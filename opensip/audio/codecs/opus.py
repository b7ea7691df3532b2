"""Opus (RFC 6716) as RFC 7587 carries it, used for speech of 8 kHz. Needs the extra `codecs`."""

from collections.abc import Callable

from opensip.audio.codecs.codec import FramedCodec
from opensip.audio.codecs.coders import coders
from opensip.audio.frame import Samples
from opensip.audio.resample import Resampler
from opensip.rtp.payload import OPUS, parameters

RATE = 16000  # Hz of the samples: all that a recognizer wants
DECODED = 48000  # Hz: what FFmpeg's decoder gives, whatever was sent
BIT_RATE = 24000  # per second: full-band speech by RFC 7587 section 3.1.1 is good from 16 to 20
LEAST, MOST = 6000, 510000  # bits per second, RFC 7587 section 6.1
EXPECTED_LOSS = "5"  # percent, where the peer can use the copies that this pays for


def encoder(samples: int, fmtp: str) -> Callable[[Samples], bytes]:
    """Make an encoder for packets of `samples`, within what the peer asked for (section 6.1)."""
    asked = parameters(fmtp)
    limit = asked.get("maxaveragebitrate", "")
    bit_rate = min(BIT_RATE, int(limit)) if limit.isdecimal() else BIT_RATE
    options = {
        "application": "voip",
        "frame_duration": str(1000 * samples // RATE),
        "vbr": "off" if asked.get("cbr") == "1" else "on",
    }
    if asked.get("useinbandfec") == "1":
        options |= {"fec": "1", "packet_loss": EXPECTED_LOSS}
    bit_rate = min(max(bit_rate, LEAST), MOST)
    made: Callable[[Samples], bytes] = coders().Encoder(
        "libopus", RATE, bit_rate=bit_rate, options=options
    )
    return made


def decoder() -> Callable[[bytes], Samples]:
    """Make a decoder; stereo is mixed down."""
    decode, resampler = coders().Decoder("libopus", DECODED), Resampler(DECODED, RATE)
    return lambda payload: resampler.push(decode(payload))


CODEC = FramedCodec(OPUS, RATE, encoder, decoder, needs=("av", "codecs"))
