"""How many files and sockets may be open at once, and for how many calls that is enough."""

import resource

from opensip.media.resting_ports import MOST_HELD
from opensip.settings.schema import ServerTable

FILES_OF_A_CALL = 4  # two ports of media, the recording, the journal
USUAL_CALLS = 1000  # at once in one process, where no other number is configured
# Listeners, connections of signalling, the store, libraries; ports of calls that are over.
BESIDES = 200 + 2 * MOST_HELD


def raise_limit() -> int:
    """Raise the soft limit of this process to the hard one; tells what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _count(soft) >= _count(hard):
        return _count(soft)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError):  # the system has a lower one still, as macOS does
        return _count(soft)
    return _count(hard)


def calls_possible(limit: int) -> int:
    """Tell how many calls at once a limit is enough for."""
    return max(0, limit - BESIDES) // FILES_OF_A_CALL


def shortage(server: ServerTable) -> str:
    """Say what is missing for as many calls as are configured; "" where nothing is.

    Without max_calls, no limit, these are USUAL_CALLS, or as many as there are pairs of ports.
    """
    ports = (server.media.last_port - server.media.first_port + 1) // 2
    most = server.calls.max_calls
    wanted = most or min(USUAL_CALLS, ports)
    limit = _count(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    possible = calls_possible(limit)
    if possible >= wanted:
        return ""
    need = BESIDES + FILES_OF_A_CALL * wanted
    remedy = (
        f"raise the hard limit to {need}, enough for {wanted} calls at once (systemd: "
        f"LimitNOFILE={need}; Docker: --ulimit nofile={need})"
    )
    if not possible:  # and no number of calls is the remedy: 0 would be no limit
        return (
            f"this process may open {limit} files, and {BESIDES} may be open besides those of "
            f"calls, so that calls may be refused: {remedy}"
        )
    enough = f"this process may open {limit} files, enough for {possible} calls at once"
    allowed = f"allows {most}" if most else "sets no limit"
    return f"{enough}, and calls.max_calls {allowed}: {remedy}, or set it to {possible}"


def _count(limit: int) -> int:
    return 1 << 30 if limit == resource.RLIM_INFINITY else limit
