"""Every target keeps its invariant, is cheap, covers its parser, and finds a planted fault."""

import importlib

import pytest

from tests.fuzz.run import ENOUGH, fuzz, plant, replay
from tests.fuzz.target import SECONDS_LONG, SECONDS_SHORT, TARGETS

SAME = "-seed=1"  # a fault that was found once is found each time

needs_fuzzer = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this machine"
)
pytestmark = [
    pytest.mark.parametrize("name", TARGETS),
    pytest.mark.timeout(600),  # it gives way to every other test of the gates
]


def check(name, directory, seconds):
    broken = fuzz(name, directory, seconds)
    assert not broken, broken
    told = replay(name, directory)
    assert not told["slow"]
    assert told["covered"] >= ENOUGH, told["missed"]


@needs_fuzzer
def test_the_invariant_holds_for_a_while(name, tmp_path):
    check(name, tmp_path, SECONDS_SHORT)


@needs_fuzzer
@pytest.mark.long
@pytest.mark.timeout(SECONDS_LONG * 5)
def test_the_invariant_holds_for_long(name, tmp_path):
    check(name, tmp_path, SECONDS_LONG)


@needs_fuzzer
def test_a_planted_fault_is_found(name, tmp_path):
    target = importlib.import_module(f"tests.fuzz.{name}").TARGET
    planted = plant(target.fault, tmp_path / "planted")
    broken = fuzz(name, tmp_path, SECONDS_SHORT * 20, SAME, planted=planted)
    assert "Uncaught Python exception" in broken
    (found,) = tmp_path.glob("crash-*")
    assert found.read_bytes() not in target.seeds  # it was found, not handed over


def test_no_input_is_dear(name, tmp_path):
    told = replay(name, tmp_path)
    assert not told["slow"]
