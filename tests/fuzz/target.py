"""What a fuzz target is: one invariant over any octets, and what shows that it is tried."""

from collections.abc import Callable
from dataclasses import dataclass

SECONDS_SHORT = 1.0  # of CPU for each target in every test run
SECONDS_LONG = 600.0  # of CPU for each target in scripts/test --long
MAX_INPUT = 65536  # octets: no datagram is longer, and a stream's message not much
MAX_CPU = 0.05  # seconds that one input may cost on a machine that spells
SPELLED, SPELLED_SECONDS = 200_000, 0.02  # so many numbers in so many seconds
TARGETS = (
    "address",
    "description",
    "digest",
    "dtls",
    "framing",
    "message",
    "multipart",
    "passport",
    "rtcp",
    "rtp",
    "stun",
    "via",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault to plant: `old` in the source of the module becomes `new`."""

    module: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Target:
    """One parser under fuzzing. The docstring of its file states the invariant.

    `one_input` raises whatever breaks the invariant. `parser` names what has to be covered,
    as "module" or "module:qualified name". `words` go into the fuzzer's dictionary. `dear` are
    inputs made to cost much time.
    """

    one_input: Callable[[bytes], None]
    parser: tuple[str, ...]
    seeds: tuple[bytes, ...]
    fault: Fault
    words: tuple[bytes, ...] = ()
    dear: tuple[bytes, ...] = ()
