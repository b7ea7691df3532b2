"""The ears of the pacing benchmark: when each packet of each call arrived, by the kernel's clock.

usage: receiver.py CALLS
Prints its ports, listens until its standard input ends, and prints JSON: `late_ms`, how much later
than its place in the row each packet came (percentiles), and `missed`: ticks on which a packet
came a whole tick late or not at all.
"""

import json
import selectors
import socket
import struct
import sys

import numpy as np

TICK = 0.02
SO_TIMESTAMPNS = 35  # of Linux; the socket module has no name for it
STAMP = struct.Struct("qq")
DRAIN_EVERY = 0.5  # seconds: well before a socket's buffer is full, and no wake-up for each packet


class Ear:
    """One call: what came, each with its time and its place in the row."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        self._rows: list[tuple[float, int]] = []

    def drain(self) -> None:
        """Take what has come."""
        try:
            while True:
                data, extra, _, _ = self.socket.recvmsg(2048, 128)
                seconds, nanoseconds = STAMP.unpack(extra[0][2][: STAMP.size])
                numbered = data[0] >> 6 == 2  # the floor's packets bear no number: none is lost
                place = int.from_bytes(data[2:4], "big") if numbered else len(self._rows)
                self._rows.append((seconds + nanoseconds * 1e-9, place))
        except BlockingIOError:
            return

    def lateness(self) -> tuple[np.ndarray, int]:
        """Tell in seconds how late each packet was, and how many ticks were missed."""
        times, places = (np.array(column) for column in zip(*self._rows, strict=True))
        places = (places - places[0]) & 0xFFFF
        offsets = times - TICK * places
        late = offsets - offsets.min()
        absent = int(places[-1]) + 1 - len(places)
        pauses = int(np.maximum(np.round(np.diff(times) / TICK) - 1, 0).sum())
        return late, max(pauses, absent)


def main() -> None:
    """Listen, then tell."""
    ears = [Ear() for _ in range(int(sys.argv[1]))]
    print(*(ear.socket.getsockname()[1] for ear in ears), flush=True)
    ended = selectors.DefaultSelector()
    ended.register(sys.stdin, selectors.EVENT_READ)
    while not ended.select(DRAIN_EVERY):
        for ear in ears:
            ear.drain()
    for ear in ears:
        ear.drain()
    late, missed = zip(*(ear.lateness() for ear in ears), strict=True)
    milliseconds = 1000 * np.concatenate(late)
    told = {f"p{p}": round(float(np.percentile(milliseconds, p)), 3) for p in (50, 99)}
    print(json.dumps({"late_ms": told, "missed": sum(missed), "packets": len(milliseconds)}))


if __name__ == "__main__":
    main()
