"""Starts fuzzing: scripts/fuzz [TARGET...] [--seconds N | --long].

Each target runs for N seconds of CPU (default 60). Its corpus grows under build/fuzz/TARGET and
is used again; an input that breaks the invariant is left there as crash-*. Afterwards the
corpus is replayed without instruments: cost and coverage.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.fuzz.target import MAX_CPU, SECONDS_LONG, TARGETS, Fault

ROOT = Path(__file__).parents[2]
ENOUGH = 0.9  # of the parser's lines


def start(*words: str, planted: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the child; modules below `planted` stand in for ours. -P: only this path counts."""
    path = os.pathsep.join(str(p) for p in (planted, ROOT) if p)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COV_")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "tests.fuzz.child", *words],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": path, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def fuzz(
    name: str, directory: Path, seconds: float, *options: str, planted: Path | None = None
) -> str:
    """Fuzz a target; gives what broke its invariant, or "" if nothing did."""
    done = start("fuzz", name, str(seconds), str(directory), *options, planted=planted)
    (directory / "executions").write_text(done.stdout.rpartition("executions: ")[2].strip())
    if done.returncode == 0:
        return ""
    return f"status {done.returncode}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"


def replay(name: str, directory: Path) -> dict[str, Any]:
    """Replay all inputs of a target; see `child.replay`."""
    done = start("replay", name, str(directory))
    if done.returncode:
        raise RuntimeError(done.stderr[-6000:])
    return dict(json.loads(done.stdout))


def plant(fault: Fault, directory: Path) -> Path:
    """Copy the package with the fault in it; gives the path to search it under."""
    shutil.copytree(
        ROOT / "opensip", directory / "opensip", ignore=shutil.ignore_patterns("__pycache__")
    )
    module = directory / f"{fault.module.replace('.', '/')}.py"
    source = module.read_text()
    assert source.count(fault.old) == 1, f"{fault.old!r} is not once in {fault.module}"
    module.write_text(source.replace(fault.old, fault.new))
    return directory


def _run(name: str, seconds: float) -> bool:
    directory = ROOT / "build/fuzz" / name
    broken = fuzz(name, directory, seconds)
    if broken:
        print(f"{name}: the invariant is broken; the input is {directory}/crash-*\n{broken}")
        return False
    told = replay(name, directory)
    executions = (directory / "executions").read_text()
    print(
        f"{name}: {executions} executions in {seconds / 60:g} CPU minutes, "
        f"{told['inputs']} inputs kept, {told['covered']:.1%} of the parser's lines, "
        f"the dearest input {told['dearest'] * 1000:.1f} ms",
        flush=True,
    )
    for key, cost in told["slow"].items():
        print(f"  {cost * 1000:.0f} ms, more than {MAX_CPU * 1000:.0f}: {key}")
    if told["covered"] < ENOUGH:
        print("  not covered:", *told["missed"])
    return not told["slow"] and told["covered"] >= ENOUGH


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, default=60.0, help="of CPU for each target")
    parser.add_argument("--long", action="store_true", help=f"as --seconds {SECONDS_LONG:g}")
    arguments = parser.parse_args()
    seconds = SECONDS_LONG if arguments.long else arguments.seconds
    if unknown := set(arguments.targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    good = [_run(name, seconds) for name in arguments.targets or TARGETS]
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
