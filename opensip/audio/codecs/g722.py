"""G.722 at 64 kbit/s: 7 kHz of sound at the price of G.711. Needs the extra `codecs`."""

from opensip.audio.codecs.codec import FramedCodec
from opensip.audio.codecs.coders import coders
from opensip.rtp.payload import G722

RATE = 16000  # Hz of the samples; its RTP clock says 8000 by an old mistake (RFC 3551 4.5.2)

CODEC = FramedCodec(
    format=G722,
    rate=RATE,
    encoder=lambda samples, fmtp: coders().Encoder("g722", RATE),
    decoder=lambda: coders().Decoder("g722", RATE),
    needs=("av", "codecs"),
)
