"""One process that fuzzes or replays one target; `run` starts it, with the right search path.

python -P -m tests.fuzz.child fuzz NAME SECONDS DIRECTORY [OPTION...]   # of libFuzzer
python -P -m tests.fuzz.child replay NAME DIRECTORY
"""

import importlib
import inspect
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.fuzz.target import MAX_CPU, MAX_INPUT, SPELLED, SPELLED_SECONDS, Target

Lines = set[tuple[str, int]]


def target_of(name: str) -> Target:
    target = importlib.import_module(f"tests.fuzz.{name}").TARGET
    assert isinstance(target, Target)
    return target


def fuzz(name: str, seconds: float, directory: Path, *more: str) -> None:
    """Fuzz until the CPU time is used up, or something breaks the invariant."""
    import atheris  # only here: a replay needs no fuzzer

    with atheris.instrument_imports(include=["opensip"]):
        target = target_of(name)
    corpus = _write_seeds(target, directory)
    end = time.process_time() + seconds
    executions = 0

    def one_input(data: bytes) -> None:
        nonlocal executions
        if time.process_time() > end:
            print(f"executions: {executions}", flush=True)
            os._exit(0)  # libFuzzer knows only wall time; what it found is on disk
        executions += 1
        target.one_input(data)

    options = [f"-max_len={MAX_INPUT}", "-timeout=20", f"-artifact_prefix={directory}/crash-"]
    if target.words:
        options.append(f"-dict={directory / 'words'}")
    atheris.Setup([name, *options, *more, str(corpus)], one_input)
    atheris.Fuzz()


def _write_seeds(target: Target, directory: Path) -> Path:
    corpus = directory / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    words = ("".join(f"\\x{octet:02X}" for octet in word) for word in target.words)
    (directory / "words").write_text("".join(f'"{word}"\n' for word in words))
    return corpus


def replay(name: str, directory: Path) -> dict[str, Any]:
    """Run every input without instruments: what they cost and cover, and where not."""
    target = target_of(name)
    inputs = dict(_inputs(target, directory / "corpus"))
    costs = {key: _cost(target, data) for key, data in inputs.items()}
    wanted = set().union(*(_lines_of(part) for part in target.parser))
    missed = wanted - _covered(target, inputs, {file for file, _ in wanted})
    return {
        "inputs": len(inputs),
        "slow": {key: cost for key, cost in costs.items() if cost > MAX_CPU},
        "dearest": max(costs.values()),
        "covered": 1 - len(missed) / len(wanted),
        "missed": [f"{file}:{line}" for file, line in sorted(missed)],
    }


def _inputs(target: Target, corpus: Path) -> Iterator[tuple[str, bytes]]:
    yield from ((f"seed {n}", data) for n, data in enumerate(target.seeds))
    yield from ((f"dear {n}", data) for n, data in enumerate(target.dear))
    for path in sorted(corpus.glob("*")):
        yield str(path), path.read_bytes()


def _cost(target: Target, data: bytes) -> float:
    """Measure the CPU seconds of one input; a slow one again, for the machine may have been.

    One on which everything takes longer, as beside all other gates, is allowed for.
    """
    assert len(data) <= MAX_INPUT
    best = _seconds(lambda: target.one_input(data))
    for _ in range(6 if best > MAX_CPU else 0):
        slowness = _seconds(lambda: [str(n) for n in range(SPELLED)]) / SPELLED_SECONDS
        best = min(best, _seconds(lambda: target.one_input(data)) / max(1.0, slowness))
    return best


def _seconds(act: Callable[[], object]) -> float:
    start = time.process_time()
    act()
    return time.process_time() - start


def _lines_of(part: str) -> Lines:
    """List the lines of functions in a module, or of those whose name begins as told."""
    module, _, prefix = part.partition(":")
    source = inspect.getsourcefile(importlib.import_module(module))
    assert source is not None
    whole = compile(Path(source).read_text(), source, "exec")
    lines = {
        (source, line)
        for code in _functions(whole)
        if code.co_qualname.startswith(prefix)
        for _, _, line in code.co_lines()
        if line is not None and line != code.co_firstlineno
    }
    assert lines, f"nothing in {module} is called {prefix}"
    return lines


def _functions(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & inspect.CO_OPTIMIZED:  # the body of a class is none
                yield inner
            yield from _functions(inner)


def _covered(target: Target, inputs: dict[str, bytes], files: set[str]) -> Lines:
    covered: Lines = set()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            covered.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    for key, data in inputs.items():
        if key.startswith("dear"):
            continue  # made to be dear, and tracing is dear as well
        sys.settrace(trace)
        try:
            target.one_input(data)
        finally:
            sys.settrace(None)
    return covered


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fuzz", name, seconds, directory, *more]:
            fuzz(name, float(seconds), Path(directory), *more)
        case ["replay", name, directory]:
            print(json.dumps(replay(name, Path(directory))))
        case _:
            sys.exit(__doc__)
