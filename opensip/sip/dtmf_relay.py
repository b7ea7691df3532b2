"""Digits in the body of an INFO: application/dtmf-relay and application/dtmf.

No standard defines them; this is what gateways and PBXs send and take. The first has lines
`Signal=5` and `Duration=160` (milliseconds), the second the digit alone. In both, some write
the event number of RFC 4733 in place of *, #, A to D.
"""

import re

RELAY = "application/dtmf-relay"
PLAIN = "application/dtmf"

_DIGIT = r"([0-9*#A-D]|1[0-5])"
_ALONE = re.compile(rf"\s*{_DIGIT}\s*", re.IGNORECASE)
_SIGNAL = re.compile(rf"^\s*Signal\s*=\s*{_DIGIT}\s*$", re.IGNORECASE | re.MULTILINE)
_DURATION = re.compile(r"^\s*Duration\s*=\s*([0-9]{1,5})\s*$", re.IGNORECASE | re.MULTILINE)
_EVENTS = {str(number): digit for number, digit in enumerate("*#ABCD", 10)}


def read_digit(content_type: str, body: bytes) -> tuple[str, int] | None:
    """Tell the digit of a body and its milliseconds, 0 where it does not say; None for no digit."""
    text, kind = body.decode("ascii", "replace"), content_type.partition(";")[0].strip().lower()
    signal = duration = None
    if kind == RELAY:
        signal, duration = _SIGNAL.search(text), _DURATION.search(text)
    elif kind == PLAIN:
        signal = _ALONE.fullmatch(text)
    if signal is None:
        return None
    digit = _EVENTS.get(signal[1], signal[1].upper())
    return digit, int(duration[1]) if duration else 0


def write_digit(content_type: str, digit: str, duration_ms: int) -> bytes:
    """Write the body that tells of one digit."""
    if content_type == RELAY:
        return f"Signal={digit}\r\nDuration={duration_ms}\r\n".encode()
    return digit.encode()
