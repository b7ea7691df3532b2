"""The locks of the native engine: whoever holds one is as important as who waits for it."""

import ctypes
import os
import subprocess
import threading
from pathlib import Path

import pytest

from tests.fakes.native_build import SOURCES, needs_compiler

pytestmark = needs_compiler

REFUSED = """
#include <errno.h>
#include <pthread.h>
int pthread_no_protocol(pthread_mutexattr_t *kind, int protocol) { return ENOTSUP; }
"""
ROOM = 256  # octets, more than any pthread_mutex_t has
FIRST = os.sched_param(1)
DEADLINE = 10_000  # looks; each lets the other threads run


def library(folder: Path, *options: str) -> ctypes.CDLL:
    """Compile the locks alone."""
    target, refused = folder / "lock.so", folder / "refused.c"
    refused.write_text(REFUSED)
    sources = [str(SOURCES / "lock.c"), str(refused)]
    command = ["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", f"-I{SOURCES}", *options, *sources]
    subprocess.run([*command, "-o", str(target), "-lpthread"], check=True)
    return ctypes.CDLL(str(target))


def rank(thread: int) -> int:
    """Tell the priority at which the kernel runs a thread now; below 0 is real time."""
    stat = Path(f"/proc/self/task/{thread}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[15])  # field 18


@pytest.mark.parametrize("options", [(), ("-Dpthread_mutexattr_setprotocol=pthread_no_protocol",)])
def test_a_lock_locks_whether_the_system_lends_priorities_or_not(tmp_path, options):
    locks = library(tmp_path, *options)
    lock = ctypes.create_string_buffer(ROOM)
    locks.lock_open(lock)
    assert locks.pthread_mutex_trylock(lock) == 0
    taken = []
    other = threading.Thread(target=lambda: taken.append(locks.pthread_mutex_trylock(lock)))
    other.start()
    other.join()
    assert taken != [0]
    assert locks.pthread_mutex_unlock(lock) == 0
    assert locks.pthread_mutex_destroy(lock) == 0


def test_who_holds_a_lock_is_lent_the_priority_of_who_waits_for_it(tmp_path):
    locks = library(tmp_path)
    lock = ctypes.create_string_buffer(ROOM)
    locks.lock_open(lock)
    refused: list[OSError] = []

    def wait() -> None:
        try:
            os.sched_setscheduler(0, os.SCHED_RR, FIRST)
        except OSError as error:
            refused.append(error)
        locks.pthread_mutex_lock(lock)
        locks.pthread_mutex_unlock(lock)

    usual = rank(threading.get_native_id())
    locks.pthread_mutex_lock(lock)
    first = threading.Thread(target=wait)
    first.start()
    lent = usual
    for _ in range(DEADLINE):
        lent = rank(threading.get_native_id())
        if lent < 0 or refused:
            break
        os.sched_yield()
    locks.pthread_mutex_unlock(lock)
    first.join()
    if refused:
        pytest.skip("no thread may go first here: neither CAP_SYS_NICE nor RLIMIT_RTPRIO")
    assert usual >= 0 > lent
    assert rank(threading.get_native_id()) == usual
