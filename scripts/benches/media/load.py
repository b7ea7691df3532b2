"""The other end of the media benchmark: sends SRTP on every call and counts what comes back.

usage: load.py CALLS SUITE KEY_HEX
Prints its ports, reads those of the subject, and sends 50 packets a second and call until its
standard input ends. Then it prints "sent received".
"""

import math
import selectors
import socket
import sys
import time

import numpy as np

from opensip.audio.codecs import CODECS
from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SrtpSession

SLOTS = 4  # the calls are spread over the 20 ms, as real ones are


class Call:
    """One call: a socket, an SRTP context, and a voice that never stops."""

    def __init__(self, number: int, suite: str, key: bytes) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.received = 0
        self._srtp = SrtpSession(suite, key)
        self._ssrc, self._sequence, self._timestamp = 0x1000 + number, 1000 + number, 0
        seconds = np.arange(160) / 8000
        tone = 8000 * np.sin(2 * math.pi * (300 + 50 * (number % 20)) * seconds)
        self._payload = CODECS["PCMU"].encode(tone.astype(np.int16))

    def send(self) -> None:
        """Send the next packet."""
        packet = RtpPacket(0, self._sequence & 0xFFFF, self._timestamp, self._ssrc, self._payload)
        self._sequence, self._timestamp = self._sequence + 1, self._timestamp + 160
        self.socket.send(self._srtp.protect(packet.serialize()))

    def count(self) -> None:
        """Take what has come."""
        try:
            while self.socket.recv(2048):
                self.received += 1
        except (BlockingIOError, ConnectionRefusedError):
            return


def run(calls: list[Call]) -> int:
    """Send until standard input ends; returns how many packets were sent."""
    ended = selectors.DefaultSelector()
    ended.register(sys.stdin, selectors.EVENT_READ)
    sent, slot, start = 0, 0, time.monotonic()
    while not ended.select(max(0.0, start + slot * 0.02 / SLOTS - time.monotonic())):
        if time.monotonic() < start + slot * 0.02 / SLOTS:
            continue
        for call in calls[slot % SLOTS :: SLOTS]:
            call.count()
            call.send()
            sent += 1
        slot += 1
    return sent


def main() -> None:
    """Open the calls, learn where to send, send, and tell the counts."""
    count, suite, key = int(sys.argv[1]), sys.argv[2], bytes.fromhex(sys.argv[3])
    calls = [Call(number, suite, key) for number in range(count)]
    print(*(call.socket.getsockname()[1] for call in calls), flush=True)
    ports = sys.stdin.readline().split()
    for call, port in zip(calls, ports, strict=True):
        call.socket.connect(("127.0.0.1", int(port)))
    sent = run(calls)
    for call in calls:
        call.count()
    print(sent, sum(call.received for call in calls))


if __name__ == "__main__":
    main()
