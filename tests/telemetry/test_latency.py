import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.telemetry.latency import (
    Turn,
    bars,
    latency_svg,
    percentile,
    reasons,
    summary,
    turns_of,
)

TOLD = {
    "endpointing_ms": 200.0, "recognizer_ms": 0.0, "dialogue_ms": 150.0, "synthesizer_ms": 100.0,
    "playout_ms": 50.0, "total_ms": 500.0, "why": "the end of a sentence", "supposed": True,
}  # fmt: skip
RECORD = {
    "call_id": "c-1",
    "turns": [
        {"at": 1.0, "speaker": "agent", "text": "Hello."},
        {"at": 4.0, "speaker": "caller", "text": "Hi.", "latencies": TOLD},
        {"at": 9.0, "speaker": "caller", "text": "Bye.", "latencies": {"total_ms": 100.0}},
    ],
}


def plain(text, stage):
    return text


def test_answers_of_a_record():
    first, second = turns_of(RECORD)
    stages = (200.0, 0.0, 150.0, 100.0, 50.0)
    assert first == Turn("c-1", 4.0, stages, 500.0, "the end of a sentence", True)
    assert (second.total, second.why) == (100.0, "")


def test_bars_have_the_length_of_their_stages():
    legend, bar, _ = bars([*turns_of(RECORD)], width=50, paint=plain)
    assert "endpointing" in legend
    assert (bar.count("░"), bar.count("▓"), bar.count("█"), bar.count("·")) == (20, 15, 10, 5)
    assert bar.endswith("the end of a sentence, begun early")


def test_a_table_of_percentiles():
    lines = summary([*turns_of(RECORD)])
    assert lines[0].split() == ["ms", "p50", "p95", "p99", "max"]
    assert lines[-1].split() == ["total", "100", "500", "500", "500"]
    assert summary([])[-1].split() == ["total", "0", "0", "0", "0"]


def test_reasons_are_counted():
    turns = [Turn("", 0.0, (), 0.0, why) for why in ("silence of 0.55 s", "silence of 0.60 s", "")]
    assert [line.split(maxsplit=1) for line in reasons(turns)] == [
        ["2", "silence"],
        ["1", "not told"],
    ]


def test_a_picture_says_what_each_part_is():
    svg = latency_svg([Turn("c", 1.0, (10.0, 0.0, 5.0, 5.0, 0.0), 20.0, "<a>")])
    assert svg.count("<title>") == 3
    assert "&lt;a&gt;" in svg


@given(st.lists(st.floats(0, 1e4), min_size=1), st.floats(0, 100))
def test_a_percentile_is_one_of_the_values(values, percent):
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100 - 1e-6


def test_of_nothing_there_is_no_percentile():
    assert percentile([], 50) == pytest.approx(0.0)
