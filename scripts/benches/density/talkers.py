"""The callers of the density bench, in a process of their own: SRTP on every call.

usage: talkers.py CALLS FOLDER FROM UNTIL
Prints its ports, reads a line of "port:key" of the other side, and prints "talking" when it begins.
Sends a packet each 20 ms and call, the calls spread over the tick, for UNTIL seconds, and takes
what comes with the kernel's time of it. Prints JSON of what came from the second FROM on.
"""

import json
import socket
import struct
import sys
import time
from pathlib import Path

import numpy as np

from opensip.audio.codecs import CODECS
from opensip.audio.frame import Samples
from opensip.rtp.packet import RtpPacket
from opensip.rtp.srtp import SrtpSession
from scripts.benches.density.heard import answers, late
from scripts.benches.density.plan import (
    ANSWER_SECONDS,
    CYCLE,
    FRAME,
    GREETING,
    SPEECH,
    Plan,
    load,
    padded,
)
from scripts.benches.talk.caller import KEY, LOUD, SUITE

RATE = 8000
TICK = FRAME / RATE
SO_TIMESTAMPNS = 35  # of Linux; the socket module has no name for it
STAMP = struct.Struct("qq")


class Talker:
    """One call: its packets, made beforehand, and what came."""

    def __init__(self, number: int, calls: int, plan: Plan, packets: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        begin = plan.begin(number, calls)
        self.packets = _protected(padded(plan.said, begin * FRAME, packets * FRAME), number)
        mark = begin * FRAME + round(GREETING * RATE)
        self.ends = [(mark + end) // FRAME for end in plan.ends]  # packets that end a turn
        self.key = KEY  # of what comes; the other side has its own
        self.sent: list[float] = []
        self.came: list[tuple[float, bytes]] = []

    def take(self) -> None:
        """Take what has come."""
        try:
            while True:
                data, extra, _, _ = self.socket.recvmsg(2048, 128)
                seconds, nanoseconds = STAMP.unpack(extra[0][2][: STAMP.size])
                if len(data) > FRAME and data[0] >> 6 == 2:
                    self.came.append((seconds + nanoseconds * 1e-9, data))
        except (BlockingIOError, ConnectionRefusedError):
            return

    def result(self, begin: float, until: float) -> dict[str, list[float]]:
        """Tell of the time between: how late packets were, and of each turn how it was answered."""
        srtp, decode = SrtpSession(SUITE, self.key), CODECS["PCMU"].decode
        packets = [(at, RtpPacket.parse(srtp.unprotect(data))) for at, data in self.came]
        packets = [(at, packet) for at, packet in packets if begin <= at < until]
        came = np.array([at for at, _ in packets])
        stamps = np.array([packet.timestamp for _, packet in packets], np.int64)
        media = ((stamps - stamps[0]) & 0xFFFFFFFF) / RATE
        sounds = decode(b"".join(packet.payload for _, packet in packets)).reshape(-1, FRAME)
        loud = came[np.abs(sounds.astype(np.int32)).max(axis=1) > LOUD]
        within = CYCLE - SPEECH
        ends = [self.sent[n] for n in self.ends if n < len(self.sent)]
        ends = [end for end in ends if begin <= end < until - within]
        found = answers(ends, loud, np.full(len(loud), TICK), within=within, answer=ANSWER_SECONDS)
        return {"late": late(came, media).tolist(), "waits": found.waits, "turns": [found.turns]}


def _protected(said: Samples, number: int) -> list[bytes]:
    srtp, encoded = SrtpSession(SUITE, KEY), CODECS["PCMU"].encode(said)
    return [
        srtp.protect(
            RtpPacket(0, n & 0xFFFF, n * FRAME, 0x1000 + number,
                      encoded[n * FRAME : (n + 1) * FRAME]).serialize()
        )
        for n in range(len(said) // FRAME)
    ]  # fmt: skip


def talk(talkers: list[Talker]) -> None:
    """Send each call's packets on time, and take what comes."""
    start, step = time.monotonic() + 0.02, TICK / len(talkers)
    for number in range(len(talkers[0].packets)):
        for slot, talker in enumerate(talkers):
            left = start + number * TICK + slot * step - time.monotonic()
            if left > 0:
                time.sleep(left)
            talker.sent.append(time.time())
            talker.socket.send(talker.packets[number])
            talker.take()


def main() -> None:
    """Make the calls, talk, and tell."""
    calls, folder = int(sys.argv[1]), Path(sys.argv[2])
    begin, until = float(sys.argv[3]), float(sys.argv[4])
    plan, packets = load(folder), round(until / TICK)
    talkers = [Talker(number, calls, plan, packets) for number in range(calls)]
    print(*(talker.socket.getsockname()[1] for talker in talkers), flush=True)
    for talker, place in zip(talkers, sys.stdin.readline().split(), strict=True):
        port, _, key = place.partition(":")
        talker.socket.connect(("127.0.0.1", int(port)))
        talker.key = bytes.fromhex(key)
    print("talking", flush=True)
    since = time.time()
    talk(talkers)
    told: dict[str, list[float]] = {}
    for talker in talkers:
        for name, values in talker.result(since + begin, since + until).items():
            told.setdefault(name, []).extend(values)
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
