"""Timer values of RFC 3261 section 17.1.1.1 and table 4."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timers:
    """Base timer values, in seconds: round trip, longest interval, life of a message."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def limit(self) -> float:
        """64*T1: timers B, F, H, J, L and M; and D, which is to outlive the peer's H."""
        return 64 * self.t1
