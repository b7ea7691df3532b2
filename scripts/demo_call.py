"""Runs the demonstration call and checks that all of it happened; scripts/demo sets up first."""

import argparse
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demo_check import Choice, Failed, books, check, check_books, choose, need
from demo_seen import Event, Seen, Show

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data/demo"
COMMAND = [sys.executable, "-m", "opensip"]
TO = "sip:+15553334444@localhost:15061;transport=tls"
REALM = "demo.opensip"
DEADLINE = 75.0  # seconds for the whole call


class Process:
    """One of the three, with its output as a stream of lines."""

    def __init__(self, name: str, *words: str, lines: "queue.Queue[tuple[str, str]]") -> None:
        self.name = name
        self.log = DATA / f"{name}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*COMMAND, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def _read(self, lines: "queue.Queue[tuple[str, str]]") -> None:
        for line in self.process.stdout or ():
            lines.put((self.name, line))
        lines.put((self.name, ""))

    def stop(self) -> None:
        """End it, with time to finish."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def complaint(self) -> str:
        """The last lines that it wrote on standard error."""
        return "\n".join(self.log.read_text().splitlines()[-5:])


def journal_lines(seen: Seen, since: float) -> Iterator[Event]:
    """Read what the journal of the call that began after `since` has got since last asked."""
    if seen.path is None:
        found = [p for p in (DATA / "journals").glob("*.jsonl") if p.stat().st_mtime >= since]
        if not found:
            return
        seen.path = max(found, key=lambda p: p.stat().st_mtime)
    lines = seen.path.read_text().splitlines(keepends=True)
    for line in lines[len(seen.journal) :]:
        if line.endswith("\n"):
            event = json.loads(line)
            seen.journal.append(event)
            yield event


def follow(
    caller: Process, lines: "queue.Queue[tuple[str, str]]", seen: Seen, show: Show, since: float
) -> None:
    """Show everything until the caller has left and the server has closed its books."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        try:
            name, line = lines.get(timeout=0.05)
        except queue.Empty:
            name, line = "", ""
        if line.startswith("{"):
            event = json.loads(line)
            (seen.caller if name == "caller" else seen.desk).append(event)
            (show.caller if name == "caller" else show.desk)(event)
        for event in journal_lines(seen, since):
            show.journal(event)
        if caller.process.poll() is not None and lines.empty() and _is_over(seen):
            return
    raise Failed(f"the call did not end within {DEADLINE:.0f} s")


def _is_over(seen: Seen) -> bool:
    return bool(seen.journalled("call_ended")) or not seen.told(seen.caller, "answered")


def await_line(name: str, process: Process, ready: Any, seconds: float = 20) -> None:
    """Wait until a process is ready."""
    until = time.monotonic() + seconds
    while not ready():
        if process.process.poll() is not None:
            raise Failed(f"{name} did not start:\n{process.complaint()}")
        if time.monotonic() > until:
            raise Failed(f"{name} was not ready within {seconds:.0f} s:\n{process.complaint()}")
        time.sleep(0.05)


def run(options: argparse.Namespace, show: Show) -> None:
    """Start the three, let the call happen, check it."""
    choice = choose(options.seed, ROOT / "config/agents/shop.toml", wrong_order=options.wrong_order)
    os.environ["OPENSIP_DEMO_PASSWORD"] = secrets.token_urlsafe(18)
    DATA.mkdir(parents=True, exist_ok=True)
    lines: queue.Queue[tuple[str, str]] = queue.Queue()
    seen, running = Seen(), []
    since = time.time()
    try:
        server = Process("server", "serve", "--config", "config/demo.toml", lines=lines)
        running.append(server)
        await_line("the server", server, lambda: "server_started" in server.log.read_text())
        show.line("demo", "the server is up: TLS, digest, SRTP required")
        if not options.no_desk:
            running.append(start_desk(lines, show))
        caller = start_caller(choice, options, lines)
        running.append(caller)
        follow(caller, lines, seen, show, since)
    finally:
        for process in reversed(running):
            process.stop()
    print()
    need(seen.path, f"call: {caller.complaint() or 'the server never saw it'}")
    tell(seen, choice, show)


def tell(seen: Seen, choice: Choice, show: Show) -> None:
    """Say what was kept and where the books lie, whatever failed."""
    paths = books(seen.path or Path())
    try:
        for kept in check(seen, choice):
            show.line("ok", kept)
        for kept in check_books(paths):
            show.line("ok", kept)
    finally:
        for name, path in paths.items():
            show.line("books", f"{name:9} {os.path.relpath(path)}")


def start_desk(lines: "queue.Queue[tuple[str, str]]", show: Show) -> Process:
    """Start the desk of the human."""
    words = ["desk", "--json", "--once", "--port", "15070", "--tls-port", "15071"]
    words += ["--certificate", "certs/server.pem", "--key", "certs/server.key"]
    desk = Process("desk", *words, "--srtp", "required", lines=lines)
    await_line("the desk", desk, lambda: not lines.empty())  # its first line: it listens
    show.line("demo", "the desk is up")
    return desk


def start_caller(
    choice: Choice, options: argparse.Namespace, lines: "queue.Queue[tuple[str, str]]"
) -> Process:
    """Start the caller, which dials at once."""
    words = ["call", TO, *choice.steps, "--json", "--listen", "--user", "caller", "--realm", REALM]
    words += ["--password", "env:OPENSIP_DEMO_PASSWORD", "--srtp", "required"]
    words += ["--ca", "certs/ca.pem", "--voice", choice.voice, "--address", "127.0.0.1"]
    words += ["--from", "sip:+15551112222@localhost"]
    if options.mute_caller:
        words.append("--mute")
    return Process("caller", *words, lines=lines)


def as_asked(options: argparse.Namespace, failure: str) -> str:
    """Say what was to be seen, where the step that failed is the one that was asked to fail."""
    if options.no_desk and failure.startswith("transfer"):
        return (
            "there was no desk (--no-desk), so the transfer had to fail; to be seen above is that "
            "the agent said so and went on with the caller. What fails ends with status 1:"
        )
    if options.mute_caller and failure.startswith("understanding"):
        return (
            "the caller said nothing (--mute-caller), so nothing could be understood; to be seen "
            "above is what the agent made of it. What fails ends with status 1:"
        )
    return ""


def main() -> int:
    """Run the demonstration; 0 only if all of it happened."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="picks order, wording and voice")
    parser.add_argument("--wrong-order", action="store_true", help="ask for an unknown order")
    parser.add_argument("--mute-caller", action="store_true", help="the caller says nothing")
    parser.add_argument("--no-desk", action="store_true", help="nobody takes the transfer")
    options, show = parser.parse_args(), Show()
    try:
        run(options, show)
    except Failed as failed:
        if said := as_asked(options, str(failed)):
            print(f"demo: as asked: {said}")
        print(f"demo: FAILED at {failed}", file=sys.stderr)
        return 1
    print("demo: all of it happened")
    return 0


if __name__ == "__main__":
    sys.exit(main())
