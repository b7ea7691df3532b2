"""A telephone on pyVoIP's VoIPPhone: GPL, so in an environment and a process of its own.

Usage: pyvoip_phone.py PORT FOLDER NUMBER HANGUP
Calls NUMBER at 127.0.0.1:PORT, says a tone, writes what it hears to FOLDER/heard.wav, and hangs
up after so many seconds, or waits as long for the other side to do it; exit status 1 if it waits
in vain. HANGUP is "hangup:SECONDS" or "wait:SECONDS".
"""

import math
import socket
import sys
import time
import wave
from pathlib import Path

from pyVoIP.VoIP import CallState, VoIPCall, VoIPPhone
from pyVoIP.VoIP.VoIP import PhoneStatus

TONE = 650  # Hz
ANSWER_SECONDS = 10
PERIOD = 0.02  # seconds


def tone(seconds: float) -> bytes:
    """Make what pyVoIP takes: unsigned 8-bit linear samples at 8 kHz."""
    step = 2 * math.pi * TONE / 8000
    return bytes(128 + round(60 * math.sin(step * n)) for n in range(int(8000 * seconds)))


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(call: VoIPCall, state: CallState, seconds: float) -> bool:
    """Tell whether the call comes to that state in time."""
    end = time.monotonic() + seconds
    while call.state != state and time.monotonic() < end:
        time.sleep(PERIOD)
    return bool(call.state == state)


def listen(call: VoIPCall, seconds: float) -> bytes:
    """Hear what comes while the call is up; digital silence is what pyVoIP says of nothing."""
    heard, end = b"", time.monotonic() + seconds
    while call.state == CallState.ANSWERED and time.monotonic() < end:
        heard += call.read_audio(160, blocking=False)
        time.sleep(PERIOD)
    return heard


def main(port: int, folder: Path, number: str, how: str) -> int:
    """Make the call."""
    phone = VoIPPhone(
        "127.0.0.1", port, "pyvoip", "", myIP="127.0.0.1", sipPort=free_port(),
        rtpPortLow=46000, rtpPortHigh=46998,
    )  # fmt: skip
    phone.sip.register = lambda: True  # it cannot do without a registrar
    phone.start()
    phone._status = PhoneStatus.REGISTERED
    try:
        call = phone.call(number)
        if not wait_for(call, CallState.ANSWERED, ANSWER_SECONDS):
            print(f"not answered: {call.state}")
            return 1
        action, _, seconds = how.partition(":")
        call.write_audio(tone(float(seconds)))
        heard = listen(call, float(seconds))
        with wave.open(str(folder / "heard.wav"), "wb") as out:
            out.setparams((1, 1, 8000, 0, "NONE", ""))
            out.writeframes(heard)
        if action == "hangup":
            call.hangup()
            time.sleep(0.5)  # the 200 to its BYE
            return 0
        return 0 if wait_for(call, CallState.ENDED, 0) else 1
    finally:
        phone.stop()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
