"""Reads what passed over loopback: an AF_PACKET capture written by tcpdump, UDP over IPv4 only."""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_capture = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("tcpdump") is None, reason="needs root and tcpdump"
)
# SIPp says one port a call and listens at none: above what the system gives to others (60999),
# or the echo goes into whatever socket of a test beside has that port.
SIPP_PORTS = 61000
ECHOED = f"(portrange 20000-29999) and (portrange {SIPP_PORTS}-65535)"
ETHERNET, COOKED = 1, 113
GLOBAL_HEADER, RECORD_HEADER = 24, 16


@dataclass(frozen=True, slots=True)
class Datagram:
    """One UDP datagram: wall-clock time in seconds, addresses, payload."""

    at: float
    source: tuple[str, int]
    destination: tuple[str, int]
    payload: bytes


def datagrams(path: Path) -> Iterator[Datagram]:
    """Yield the UDP datagrams of a little-endian microsecond pcap file."""
    data = path.read_bytes()
    (link_type,) = struct.unpack_from("<I", data, 20)
    link_header = {ETHERNET: 14, COOKED: 16}[link_type]
    offset = GLOBAL_HEADER
    while offset + RECORD_HEADER <= len(data):
        seconds, micros, captured, _ = struct.unpack_from("<IIII", data, offset)
        ip = offset + RECORD_HEADER + link_header
        offset += RECORD_HEADER + captured
        if data[ip] >> 4 != 4 or data[ip + 9] != 17:
            continue
        udp = ip + 4 * (data[ip] & 0x0F)
        sport, dport, length, _ = struct.unpack_from(">HHHH", data, udp)
        yield Datagram(
            at=seconds + micros / 1e6,
            source=(".".join(map(str, data[ip + 12 : ip + 16])), sport),
            destination=(".".join(map(str, data[ip + 16 : ip + 20])), dport),
            payload=data[udp + 8 : udp + length],
        )


def is_rtp(payload: bytes) -> bool:
    """Tell RTP from RTCP and SIP (RFC 5761 section 4)."""
    return len(payload) >= 12 and payload[0] >> 6 == 2 and not 192 <= payload[1] <= 223


def start_capture(
    path: Path, device: str = "lo", within: Sequence[str] = (), ports: str = ECHOED
) -> "subprocess.Popen[bytes]":
    """Capture RTP, by default on loopback and between our ports and SIPp's."""
    process = subprocess.Popen(
        [*within, "tcpdump", "-i", device, "-B", "65536", "-s", "300", "-w", str(path),
         f"udp and {ports}"],
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    while b"listening on" not in process.stderr.readline():
        assert process.poll() is None
    return process


def stop_capture(process: "subprocess.Popen[bytes]") -> None:
    """Write out what was captured."""
    process.terminate()
    process.wait(10)
    if process.stderr is not None:
        process.stderr.close()


SPEECH_SSRC = 0x5EED  # of what SIPp replays


def write_speech(path: Path, *, packets: int, first_port: int = 6000) -> None:
    """Write a capture that SIPp can replay: 20 ms PCMU packets whose payloads all differ."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, ETHERNET))
        for n in range(packets):
            rtp = struct.pack(">BBHII", 0x80, 0x80 if n == 0 else 0, n + 1, 160 * n, SPEECH_SSRC)
            rtp += n.to_bytes(2) + bytes((n * 7 + k * 13) & 0xFF for k in range(158))
            udp = struct.pack(">HHHH", first_port, first_port, 8 + len(rtp), 0) + rtp
            ip = struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), n, 0, 64, 17, 0,
                bytes([127, 0, 0, 1]), bytes([127, 0, 0, 1]),
            )  # fmt: skip
            frame = bytes(12) + b"\x08\x00" + ip + udp
            at_us = n * 20_000
            out.write(
                struct.pack("<IIII", at_us // 1_000_000, at_us % 1_000_000, len(frame), len(frame))
            )
            out.write(frame)
