"""Throws forged and broken datagrams at the calls of a benchmark.

usage: flood.py SUITE KEY_HEX RATE DATAGRAMS PORT...
Sends them evenly over the ports, RATE a second, and prints JSON: datagrams sent, answers that
came, and the seconds it took.
"""

import json
import socket
import sys
import time
from contextlib import suppress

from scripts.benches.forged.datagrams import BROKEN, FOREIGN, endless, replays

FIRST_SSRC = 0x1000  # of the load's calls, ../media/load.c
EACH = 64  # different ones that are made of each call; more would cost more than sending
STEP = 0.001  # seconds


def main() -> None:
    """Send, and tell."""
    suite, key, rate, count = sys.argv[1], bytes.fromhex(sys.argv[2]), *map(int, sys.argv[3:5])
    ports = [int(port) for port in sys.argv[5:]]
    rows = []
    for number, port in enumerate(ports):
        ssrc = FIRST_SSRC + number
        made = endless((*BROKEN, *FOREIGN), ssrc, seed=number)
        row = [next(made) for _ in range(EACH)] + replays(suite, key, ssrc, EACH // 8)
        rows.append([(data, ("127.0.0.1", port)) for data in row])
    out = [pair for column in zip(*rows, strict=True) for pair in column]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as place:
        place.bind(("127.0.0.1", 0))
        place.setblocking(False)
        started, sent = time.monotonic(), 0
        while sent < count:
            due = min(int((time.monotonic() - started) * rate), count)
            while sent < due:
                with suppress(ConnectionRefusedError):  # the system's word to who is kept out
                    place.sendto(*out[sent % len(out)])
                sent += 1
            time.sleep(STEP)
        took = time.monotonic() - started
        time.sleep(0.2)
        answers = 0
        with suppress(BlockingIOError, ConnectionRefusedError):
            while place.recv(2000):
                answers += 1
    print(json.dumps({"sent": sent, "answers": answers, "seconds": round(took, 2)}))


if __name__ == "__main__":
    main()
