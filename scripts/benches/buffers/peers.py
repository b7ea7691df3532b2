"""The buffers of aiortc and aiortp on the traces of standard input; prints the scores as JSON.

Runs in an environment of their own, and imports nothing of ours but the judge beside it.
"""

import json
import sys
from collections import deque
from collections.abc import Callable

import aiortc.jitterbuffer
import aiortc.rtp
import aiortp.codecs
import aiortp.jitterbuffer
import aiortp.packet
import aiortp.playout
from score import Put, Take, run, score

CAPACITY, PREFETCH = 16, 4  # as both have them for sound


def queued(buffer: object, packet: Callable[[int], object]) -> tuple[Put, Take]:
    """Let a buffer that gives frames as packets come have a queue behind it, as theirs has."""
    frames: deque[int] = deque()

    def put(number: int, _: float) -> None:
        frame = buffer.add(packet(number))[1]
        if frame is not None:
            frames.append(frame.timestamp // 160)

    return put, lambda _: frames.popleft() if frames else None


def of_aiortc() -> tuple[Put, Take]:
    """Make aiortc's, as its receiver of sound does."""

    def packet(number: int) -> object:
        made = aiortc.rtp.RtpPacket(sequence_number=number, timestamp=160 * number)
        made._data = b"\xff" * 160
        return made

    return queued(aiortc.jitterbuffer.JitterBuffer(CAPACITY, PREFETCH), packet)


def of_aiortp() -> tuple[Put, Take]:
    """Make aiortp's, as its session does unless told else."""

    def packet(number: int) -> object:
        return aiortp.packet.RtpPacket(
            sequence_number=number, timestamp=160 * number, payload=b"\xff" * 160
        )

    return queued(
        aiortp.jitterbuffer.JitterBuffer(CAPACITY, PREFETCH, skip_audio_gaps=True), packet
    )


def of_aiortp_playout() -> tuple[Put, Take]:
    """Make aiortp's adaptive playout, which a session may be told to use."""
    clock = [0.0]
    playout = aiortp.playout.AdaptivePlayout(aiortp.codecs.PcmuCodec(), now=lambda: clock[0])

    def put(number: int, at: float) -> None:
        clock[0] = at
        playout.put(160 * number, b"\xff" * 160)

    def take(now: float) -> int | None:
        clock[0] = now
        made_up = playout.concealed_frames, playout.expansions
        frame = playout.tick()
        if frame is None or made_up != (playout.concealed_frames, playout.expansions):
            return None
        return frame[1] // 160

    return put, take


PEERS = {"aiortc": of_aiortc, "aiortp": of_aiortp, "aiortp_playout": of_aiortp_playout}


def main() -> None:
    """Run every buffer on every trace."""
    told = json.load(sys.stdin)
    rows = [
        {name: score(run(packets, *make()), told["sent"]) for name, make in PEERS.items()}
        for packets in told["traces"]
    ]
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
