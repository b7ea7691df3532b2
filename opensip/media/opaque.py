"""What comes to the native engine under codecs with state: payloads in order, decoded here."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from opensip.audio.codecs import CODECS, Codec
from opensip.audio.frame import Samples
from opensip.errors import RemoteProtocolError
from opensip.media.heard import Heard

NARROW = 8000  # Hz, of both laws of G.711
# Payload type, timestamp, when it came, whether it follows the sound before it under the same
# source and codec, how many samples of G.711 were heard before it, payload.
Sound: TypeAlias = tuple[int, int, float, bool, int, bytes]


class OpaqueReceiver:
    """Decodes what the thread has put in order; `drop` counts what cannot be. Does no I/O."""

    def __init__(self, drop: Callable[[str], None]) -> None:
        self.heard = Heard(NARROW)
        self._drop = drop
        self._formats: Mapping[int, str] = {}
        self._decode: Callable[[bytes], Samples] | None = None
        self._next_timestamp = 0

    def configure(self, formats: Mapping[int, str]) -> None:
        """Take the encoding name of each payload type."""
        self._formats = formats

    def take(self, sounds: Iterable[Sound], plain: Samples, plain_at: float) -> bool:
        """Take what came since the last call, and `plain` of G.711 between; tells of a voice."""
        voice, start = False, 0
        for number, timestamp, at, follows, behind, payload in sounds:
            voice |= self._hear_plain(plain[start:behind], plain_at)
            start = max(start, behind)
            codec = CODECS.get(self._formats.get(number, ""))
            if codec is not None:
                voice |= self._hear(codec, timestamp, payload, at, follows)
        return self._hear_plain(plain[start:], plain_at) or voice

    def _hear_plain(self, samples: Samples, at: float) -> bool:
        if not len(samples):
            return False
        if not self.heard:
            self.heard.at = at
        self.heard.change_rate(NARROW)
        return self.heard.measure(samples)

    def _hear(self, codec: Codec, timestamp: int, payload: bytes, at: float, follows: bool) -> bool:
        """Decode one packet, with silence before it where some of its source were lost."""
        decode, missing, clock_rate = self._decoder(codec, follows), 0, codec.format.clock_rate
        if not self.heard:
            self.heard.at = at
        elif follows:
            missing = (timestamp - self._next_timestamp) & 0xFFFFFFFF
        units, voice = 0, False
        try:
            units, voice = self.heard.add_frame(
                decode, payload, missing=missing, clock_rate=clock_rate
            )
        except RemoteProtocolError:
            self._drop("undecodable")
        self._next_timestamp = (timestamp + units) & 0xFFFFFFFF
        return voice

    def _decoder(self, codec: Codec, follows: bool) -> Callable[[bytes], Samples]:
        """Give the decoder of a source and codec, whose rate what is heard has from now on."""
        if self._decode is None or not follows:
            self._decode = codec.decoder()
        self.heard.change_rate(codec.rate)
        return self._decode
