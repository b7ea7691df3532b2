"""The other end of the conversation benches, in a process of its own: SRTP on every call.

usage: caller.py PLAN RESULT
PLAN is a file of numpy arrays, a call each: all that its caller will say. Prints its ports, reads
those of the subject, sends a packet each 20 ms and call until all is said, and takes what comes.
RESULT gets, a call each, when its packets were sent, and when the packets with sound came: times
of the system's monotonic clock, which the subject's loop goes by as well.
"""

import math
import selectors
import socket
import sys
import time
from pathlib import Path

import numpy as np

from opensip.audio.codecs import CODECS
from opensip.audio.frame import Samples
from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SrtpSession

SUITE = "AES_CM_128_HMAC_SHA1_80"
KEY = bytes(range(30))
FRAME = 160
LOUD = 200  # of 32768: below this is silence or comfort noise


class Call:
    """One call: its packets, made beforehand, and what came."""

    def __init__(self, number: int, said: Samples) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        srtp, encode = SrtpSession(SUITE, KEY), CODECS["PCMU"].encode
        self.packets = [
            srtp.protect(
                RtpPacket(0, n & 0xFFFF, n * FRAME, 0x1000 + number,
                          encode(said[n * FRAME : (n + 1) * FRAME])).serialize()
            )
            for n in range(len(said) // FRAME)
        ]  # fmt: skip
        self.sent: list[float] = []
        self.came: list[tuple[float, bytes]] = []

    def take(self) -> None:
        """Take what has come."""
        try:
            while True:
                data = self.socket.recv(2048)
                self.came.append((time.monotonic(), data))
        except (BlockingIOError, ConnectionRefusedError):
            return

    def loud(self) -> list[float]:
        """Tell when the packets with sound came."""
        srtp, decode = SrtpSession(SUITE, KEY), CODECS["PCMU"].decode
        times = []
        for at, data in self.came:
            packet = RtpPacket.parse(srtp.unprotect(data))
            if np.abs(decode(packet.payload).astype(np.int32)).max() > LOUD:
                times.append(at)
        return times


def run(calls: list[Call]) -> None:
    """Send each call's packets on time, the calls spread over the tick, and take what comes."""
    ready = selectors.DefaultSelector()
    for call in calls:
        ready.register(call.socket, selectors.EVENT_READ, call)
    start, step = time.monotonic() + 0.1, 0.02 / len(calls)
    for slot in range(len(calls) * max(len(call.packets) for call in calls)):
        due = start + slot * step
        while (left := due - time.monotonic()) > 0:
            for key, _ in ready.select(math.ceil(left * 1e5) / 1e5):
                key.data.take()
        call, number = calls[slot % len(calls)], slot // len(calls)
        if number < len(call.packets):
            call.sent.append(time.monotonic())
            call.socket.send(call.packets[number])


def main() -> None:
    """Make the calls, run them, and write what was measured."""
    with np.load(sys.argv[1]) as plan:
        calls = [Call(n, plan[name]) for n, name in enumerate(plan.files)]
    print(*(call.socket.getsockname()[1] for call in calls), flush=True)
    for call, port in zip(calls, sys.stdin.readline().split(), strict=True):
        call.socket.connect(("127.0.0.1", int(port)))
    run(calls)
    result = {}
    for number, call in enumerate(calls):
        result |= {f"sent{number}": call.sent, f"loud{number}": call.loud()}
    np.savez(Path(sys.argv[2]), **result)
    print("done", flush=True)


if __name__ == "__main__":
    main()
