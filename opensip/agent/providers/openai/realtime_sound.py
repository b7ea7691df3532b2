"""Sound as the events of GET /realtime carry it: base64 of G.711, or of PCM at 24 kHz."""

import base64
from typing import Any

import numpy as np

from opensip.audio.codecs import G711
from opensip.audio.frame import Samples

RATES = {"pcmu": 8000, "pcma": 8000, "pcm": 24000}  # Hz, of each format


def described(form: str) -> dict[str, Any]:
    """Write a format as a session names it."""
    named: dict[str, Any] = {"type": f"audio/{form}"}
    return named | ({"rate": RATES[form]} if form == "pcm" else {})


def encoded(samples: Samples, form: str) -> str:
    """Write samples of the format's rate for an event."""
    octets = (
        samples.astype("<i2").tobytes() if form == "pcm" else G711[form.upper()].encode(samples)
    )
    return base64.b64encode(octets).decode("ascii")


def decoded(octets: bytes, form: str) -> Samples:
    """Read the samples of an event; half a sample at the end is left out."""
    if form == "pcm":
        return np.frombuffer(octets[: len(octets) // 2 * 2], "<i2").astype(np.int16)
    return G711[form.upper()].decode(octets)
