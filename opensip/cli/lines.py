"""Lines that somebody types, one at a time, in a command that goes on meanwhile."""

import asyncio
import io
import sys
import threading


async def next_line() -> str | None:
    """Wait for a line of standard input, without what surrounds it; None at its end.

    It is read in a thread that nobody waits for in the end: one that is given up (Ctrl-C) ends
    the command, though nothing more is typed. That thread reads without a buffer, whose lock it
    would hold as the interpreter ends.
    """
    try:
        number = sys.stdin.fileno()
    except (OSError, ValueError):  # no file: nothing is waited for
        return _text(sys.stdin.readline().encode())
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def settle(line: bytes) -> None:
        if not done.done():
            done.set_result(line)

    def read() -> None:
        try:
            with io.FileIO(number, closefd=False) as opened:
                line = opened.readline()
        except OSError:  # closed, by who gave up waiting: there are no more lines
            line = b""
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, line)

    threading.Thread(target=read, daemon=True, name="opensip-lines").start()
    return _text(await done)


def _text(line: bytes) -> str | None:
    return line.decode(errors="replace").strip() if line else None
