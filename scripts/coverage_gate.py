"""Fails where fewer branches are covered than promised: coverage_gate.py COVERAGE.JSON."""

import json
import sys
from pathlib import Path
from typing import Any

FLOORS = {"opensip/sip": 95.0, "opensip/sdp": 95.0, "opensip/rtp": 95.0, "opensip": 85.0}


def branches(files: dict[str, Any], room: str) -> float:
    """Tell what per cent of the branches under `room` were taken; 100 where there are none."""
    summaries = [f["summary"] for name, f in files.items() if name.startswith(f"{room}/")]
    total = sum(s["num_branches"] for s in summaries)
    return 100.0 * sum(s["covered_branches"] for s in summaries) / total if total else 100.0


def main() -> int:
    """Print a line for each room, and say whether all of them hold."""
    files = json.loads(Path(sys.argv[1]).read_text())["files"]
    short = 0
    for room, floor in FLOORS.items():
        covered = branches(files, room)
        short += covered < floor
        verdict = "ok" if covered >= floor else "TOO FEW"
        print(f"{room:12} {covered:6.1f} % of branches (at least {floor:.0f} %)  {verdict}")
    return int(short > 0)


if __name__ == "__main__":
    sys.exit(main())
