"""What something costs, for tests that keep strangers from making it dear."""

import time
from collections.abc import Callable

DEAR = 0.05  # seconds of CPU for one message, whatever stands in it


def cpu_seconds(act: Callable[[], object]) -> float:
    """The CPU seconds of `act`, the least of three: the machine has other things to do."""
    costs = []
    for _ in range(3):
        start = time.process_time()
        act()
        costs.append(time.process_time() - start)
    return min(costs)
