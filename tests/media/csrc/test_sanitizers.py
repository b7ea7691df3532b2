"""The native engine under the sanitizers of addresses, undefined behaviour, threads; fuzzed so."""

import os
import re
import subprocess
import sys

import pytest

from tests.fakes.native_build import ROOT, THREADS, compile_sources, needs_compiler, planted

FUZZER = ROOT / "tests/fuzz/native/packets.c"
SECONDS_SHORT, SECONDS_LONG = 2, 1800  # of CPU
CONTRACT = [
    "tests/media/test_engine.py", "tests/media/test_engine_calls.py",
    "tests/media/test_engine_native.py", "tests/media/test_stream.py",
    "tests/media/test_native_stream.py", "tests/media/test_native_ends.py",
    "tests/media/test_engine_connect.py", "tests/media/test_engine_connect_keys.py",
    "tests/media/test_engine_connect_playout.py", "tests/media/test_engine_beside.py",
    "tests/media/test_same_hearing.py", "tests/media/test_engine_wide.py",
    "tests/media/test_playback.py", "tests/media/test_native_srtcp.py", "tests/media/csrc",
]  # fmt: skip
# What is fuzzed below, what runs none of our C, and what needs a loop to be in time.
APART = "not sanitizers and not any_octets and not any_payload and not python] and not real_loops"
# The module must be there before anything imports it, and its memory must not be Python's own.
RUNNER = """
import importlib.util, sys, pytest
spec = importlib.util.spec_from_file_location("opensip.media._engine", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.modules["opensip.media._engine"] = module
import opensip.media
opensip.media._engine = module
sys.exit(pytest.main(sys.argv[2:]))
"""
pytestmark = needs_compiler


def fuzz(program, seconds, seed=1):
    return subprocess.run(
        [program, str(seconds), str(seed)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    return compile_sources(tmp_path_factory.mktemp("fuzz") / "packets", str(FUZZER), module=False)


def executions(done):
    assert done.returncode == 0, done.stderr[-6000:]
    return int(re.search(r"executions: (\d+)", done.stdout)[1])


def test_broken_packets_break_nothing_for_a_while(fuzzer):
    assert executions(fuzz(fuzzer, SECONDS_SHORT)) > 5000


@pytest.mark.long
@pytest.mark.timeout(3 * SECONDS_LONG)
def test_broken_packets_break_nothing_for_long(fuzzer):
    print(executions(fuzz(fuzzer, SECONDS_LONG, seed=os.getpid())))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rtp.c", "if (end + 4 > size)", "if (end + 3 > size)"),
        ("srtp.c", "trailer = cipher->tag + WORD;", "trailer = cipher->tag + WORD - 1;"),
        ("rtp.c", "start + padding > size", "start + padding > size + 1"),
        ("receiver.c", "int16_t samples[RTP_LARGEST];", "int16_t samples[479];"),
        ("receiver.c", "receiver->event_count == EVENTS", "receiver->event_count == EVENTS + 1"),
        ("reorder.c", "reorder->count > REORDER_HELD", "reorder->count > REORDER_HELD + 1"),
        ("opaque.c", "(uint16_t)packet->size;", "(uint16_t)(packet->size + 1);"),
    ],
)
def test_a_planted_off_by_one_is_found(tmp_path, file, old, new):
    sources = planted(tmp_path, file, old, new)
    program = compile_sources(tmp_path / "packets", str(FUZZER), sources=sources, module=False)
    done = fuzz(program, 30)
    assert done.returncode != 0
    assert (
        "AddressSanitizer" in done.stderr
        or "runtime error" in done.stderr
        or "broken" in (done.stderr)
    )


def run_tests(module, library, *words):
    """Run tests in a Python of its own with a module that was compiled by hand."""
    path = subprocess.run(
        ["gcc", f"-print-file-name={library}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COV_")}
    environment |= {
        "LD_PRELOAD": path,
        "ASAN_OPTIONS": "detect_leaks=0:handle_segv=1",  # Python itself keeps what it has
        "TSAN_OPTIONS": "exitcode=66",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(ROOT),
    }
    plain = ("-q", "-p", "no:cacheprovider", "-p", "no:cov", "-m", "not long")
    return subprocess.run(
        [sys.executable, "-c", RUNNER, str(module), *plain, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(600)  # everything is some ten times slower so
def test_the_contract_holds_under_sanitizers(tmp_path):
    module = compile_sources(tmp_path / "_engine.so", module=True)
    done = run_tests(module, "libasan.so", "-k", APART, *CONTRACT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    assert "passed" in done.stdout


THREADED = ("tests/media/test_engine_native.py", "-k", "threads_of_python")


@pytest.mark.timeout(600)
def test_the_thread_and_python_share_nothing_unlocked(tmp_path):
    module = compile_sources(tmp_path / "_engine.so", module=True, sanitizers=THREADS)
    done = run_tests(module, "libtsan.so", THREADED[0])
    assert "ThreadSanitizer" not in done.stderr, done.stderr[-6000:]
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_planted_race_is_found(tmp_path):
    sources = planted(
        tmp_path,
        "module_stream.c",
        "    pthread_mutex_lock(&stream->lock);\n    return stream;",
        "    return stream;",
    )
    module = compile_sources(
        tmp_path / "_engine.so", sources=sources, module=True, sanitizers=THREADS
    )
    assert "ThreadSanitizer" in run_tests(module, "libtsan.so", *THREADED).stderr
