"""Ports that the kernel may give to somebody else: its own range, which RTP must not share."""

from collections.abc import Iterator
from pathlib import Path

KERNEL = Path("/proc/sys/net/ipv4")


def warnings(first: int, last: int, *, kernel: Path = KERNEL) -> Iterator[str]:
    """Tell where the RTP ports `first` to `last` lie in the range from which the kernel picks.

    What is reserved there is not picked. On a system that does not tell, nothing is said.
    """
    try:
        lowest, highest = map(int, (kernel / "ip_local_port_range").read_text().split())
        reserved = _reserved((kernel / "ip_local_reserved_ports").read_text())
    except (OSError, ValueError):
        return
    shared = range(max(first, lowest), min(last, highest) + 1)
    if any(port not in reserved for port in shared):
        yield (
            f"media ports {shared[0]} to {shared[-1]} are also the kernel's own ({lowest} to "
            f"{highest}), so other programs take some of them: choose others, or reserve them: "
            f"sysctl net.ipv4.ip_local_reserved_ports={shared[0]}-{shared[-1]}"
        )


def shortage(first: int, last: int, calls: int) -> Iterator[str]:
    """Tell where so many `calls` at once have fewer pairs of ports from `first` to `last`."""
    pairs = (last + 1 - (first + first % 2)) // 2
    if calls > pairs:
        yield (
            f"media ports {first} to {last} are pairs for {pairs} at once, and "
            f"calls.max_calls allows {calls}: further ones are refused with 503; widen the range"
        )


def _reserved(text: str) -> set[int]:
    """Read a list like 8080,20000-29999."""
    ports: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        ports.update(range(int(first), int(last or first) + 1))
    return ports
