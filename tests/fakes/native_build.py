"""Builds what is in opensip/media/csrc by hand: for sanitizers, for fuzzing, with faults in it."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "opensip/media/csrc"
SANITIZERS = (
    "-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
)  # fmt: skip
THREADS = ("-g", "-O1", "-fsanitize=thread")
_PYTHON = f"-I{sysconfig.get_path('include')}"


def _can_compile() -> bool:
    """Tell whether a compiler is there, with sanitizers and the headers that the engine needs."""
    if shutil.which("gcc") is None:
        return False
    source = "#include <Python.h>\n#include <openssl/evp.h>\nint main(void) { return 0; }\n"
    command = ["gcc", "-x", "c", *SANITIZERS, _PYTHON, "-", "-o", "/dev/null"]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    return not done.returncode


needs_compiler = pytest.mark.skipif(
    not _can_compile(), reason="no gcc with sanitizers, or no headers of Python and OpenSSL"
)


def compile_sources(
    target: Path,
    *more: str,
    sources: Path = SOURCES,
    module: bool,
    sanitizers: tuple[str, ...] = SANITIZERS,
) -> Path:
    """Compile the engine into `target`: the Python module, or a program of the files in `more`."""
    files = [
        str(file) for file in sorted(sources.glob("*.c")) if module or "module" not in file.name
    ]
    shared = ["-shared", "-fPIC", "-DPy_LIMITED_API=0x030B0000", _PYTHON] if module else []
    subprocess.run(
        ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
         "-Wno-unused-parameter", *sanitizers, *shared, f"-I{sources}", *files, *more,
         "-o", str(target), "-lcrypto", "-lm", "-lpthread"],
        check=True,
    )  # fmt: skip
    return target


def planted(directory: Path, file: str, old: str, new: str) -> Path:
    """Copy the sources with a fault in one of them."""
    copy = directory / "csrc"
    shutil.copytree(SOURCES, copy)
    source = (copy / file).read_text()
    assert source.count(old) == 1, f"{old!r} is not once in {file}"
    (copy / file).write_text(source.replace(old, new))
    return copy
