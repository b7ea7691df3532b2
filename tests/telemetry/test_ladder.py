import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import ConfigError
from opensip.telemetry import ladder
from opensip.telemetry.ladder import PEER, TARGET, US, read_ladder
from tests.fakes.journals import invite, line, message, opened, sip, started, transferred

KINDS = [
    ("header_context", {"variables": {"x": "1"}}, "context", "x"),
    ("held", {"on": True}, "held by the peer", None),
    ("held", {"on": False}, "taken back by the peer", None),
    ("media_source_changed", {"remote": "r:6"}, "RTP comes from elsewhere", "r:6"),
    ("media_timed_out", {"phase": "first", "seconds": 30.0}, "no RTP for 30 s", "first"),
    ("media_statistics", {"counters": {"sent": 3, "lost": 1}}, "RTP", "sent 3, lost 1"),
    ("recording_started", {"path": "p"}, "recording", None),
    ("recording_stopped", {"path": "p", "error": "disk full"}, "recorded", "disk full"),
    ("recording_paused", {}, "recording paused", None),
    ("recording_resumed", {}, "recording resumed", None),
    ("recording_packed", {"path": "p"}, "recording packed", "p"),
    ("recording_erased", {}, "recording erased", None),
    ("barged_in", {"stopped_ms": 12.0}, "barge-in, silent after 12 ms", None),
    (
        "provider_failed",
        {"stage": "recognizer", "provider": "p", "error": "late"},
        "recognizer p failed",
        "late",
    ),
    ("confirmation_asked", {"name": "pay", "again": False}, "may pay run?", None),
    ("confirmation_asked", {"name": "pay", "again": True}, "may pay run? again", None),
    (
        "provider_recovered",
        {"stage": "dialogue", "provider": "p"},
        "dialogue p works again",
        None,
    ),
    ("confirmation_ended", {"name": "pay", "outcome": "passed_over"}, "pay passed over", None),
    ("tool_refused", {"name": "pay", "why": "enough"}, "tool pay refused", "enough"),
    (
        "escalated",
        {"target": "human", "intent": "", "confidence": 1, "why": "asked"},
        "escalation to human",
        "asked",
    ),
    (
        "turn_taken",
        {
            f"{part}_ms": 5.0
            for part in (
                "endpointing", "recognizer", "dialogue", "synthesizer", "playout", "total",
            )
        },
        "answer after 5 ms",
        "endpointing 5, recognizer 5, dialogue 5, synthesizer 5, playout 5",
    ),
]  # fmt: skip


def steps(*lines):
    return read_ladder([opened(), *lines]).steps


def test_the_parties_of_a_transferred_call():
    drawn = read_ladder(transferred())
    assert [(party.key, party.name) for party in drawn.parties] == [
        (PEER, "+15551112222"), (US, "opensip"), (TARGET, "desk"),
    ]  # fmt: skip
    assert [party.address for party in drawn.parties] == [
        "UDP 192.0.2.1:5060", "UDP 192.0.2.9:5060", "d",
    ]  # fmt: skip
    assert (drawn.column(US), drawn.call_id) == (1, "c-1")
    assert drawn.caption == (
        "inbound +15551112222 → +15553334444 · trunk demo · agent shop · 6.4 s, "
        "ended by us: transferred"
    )


def test_the_steps_of_a_transferred_call():
    drawn = read_ladder(transferred())
    told = [(step.source, step.target, step.title) for step in drawn.steps]
    assert told[0] == (PEER, US, "INVITE")
    assert (US, PEER, "180 Ringing") in told
    assert (US, PEER, "“How can”") in told
    assert (PEER, US, "“a person please”") in told
    assert (PEER, US, "digit 5") in told
    assert (PEER, TARGET, "INVITE") in told
    assert (TARGET, PEER, "200 OK") in told
    assert [step.title for step in drawn.steps if step.kind == "fault"] == ["fault in recording"]
    assert [step.kind for step in drawn.steps if step.target == TARGET] == ["told"]


def test_who_dialled_stands_first():
    drawn = read_ladder([opened(), started("outbound")])
    assert [party.key for party in drawn.parties] == [US, PEER]
    assert drawn.parties[1].name == "+15553334444"
    assert drawn.caption.endswith("without an end")


def test_each_call_id_is_a_leg():
    bridge = message("INVITE sip:desk@d SIP/2.0", cseq="1 INVITE", call_id="other")
    drawn = read_ladder([opened(), invite(), started(), sip(1.0, "sent", bridge, "192.0.2.7:5060")])
    assert [party.key for party in drawn.parties] == [PEER, US, "leg2"]
    assert (drawn.parties[2].name, drawn.parties[2].address) == ("desk", "UDP 192.0.2.7:5060")
    assert (drawn.steps[1].source, drawn.steps[1].target) == (US, "leg2")


def test_retransmissions_are_counted():
    again = steps(invite(0.0), invite(0.5), invite(1.5))
    assert [step.details[0] for step in again] == ["cseq 1", "again, number 2", "again, number 3"]


def test_hidden_words():
    drawn = read_ladder(transferred(), words=False)
    shown = repr(drawn)
    assert "How can" not in shown
    assert "person please" not in shown
    assert "digit 5" not in shown
    assert "a=crypto" not in shown
    assert "“3 words”" in shown
    assert "a digit" in shown


def test_hidden_digits_of_info():
    info = message(
        "INFO sip:b@h SIP/2.0", "Content-Type: application/dtmf", cseq="2 INFO", body="7"
    )
    lines = [opened(), sip(0.0, "received", info)]
    assert read_ladder(lines).steps[0].details == ("cseq 2", "digit 7")
    assert read_ladder(lines, words=False).steps[0].details == ("cseq 2", "a digit")


@pytest.mark.parametrize(("kind", "fields", "title", "detail"), KINDS)
def test_what_happened_beside(kind, fields, title, detail):
    (step,) = steps(line(1.0, kind, **fields))
    assert (step.source, step.target, step.title) == (US, US, title)
    assert step.details == (() if detail is None else (detail,))


def test_what_came_of_the_callers_signature():
    passed = line(1.0, "identity_checked", outcome="passed", attestation="A", why="")
    failed = line(1.0, "identity_checked", outcome="failed", attestation="", why="too old")
    told = [(step.kind, step.title, step.details) for step in steps(passed, failed)]
    assert told == [
        ("state", "caller's signature passed", ("attestation A",)),
        ("fault", "caller's signature failed", ("too old",)),
    ]


def test_a_tool_that_failed_is_a_fault():
    (step,) = steps(line(1.0, "tool_called", name="t", duration_ms=1.0, error="no"))
    assert (step.kind, step.details) == ("fault", ("no",))


def test_a_target_without_a_host():
    drawn = read_ladder(
        [
            opened(),
            line(1.0, "transfer_started", strategy="refer", target="tel:+1555"),
            line(1.0, "transfer_progress", way="notify", sip_status=180),
        ]
    )
    assert drawn.parties[-1].name == "tel:+1555"


def test_what_is_not_known_is_left_out_and_a_cut_line_too():
    assert steps(line(1.0, "speech_started"), '{"at": 2, "ki') == ()
    assert steps("[1]", '{"kind": "held"}') == ()


@pytest.mark.parametrize("first", ["", "hello", line(0.0, "held", on=True)])
def test_what_is_no_journal(first):
    with pytest.raises(ConfigError, match="no journal"):
        read_ladder([first])


def test_a_later_version_is_refused():
    with pytest.raises(ConfigError, match="version 2"):
        read_ladder([opened(version=2)])


def test_an_event_without_its_fields():
    with pytest.raises(ConfigError, match="not whole: KeyError"):
        steps(line(1.0, "sip_sent"))


def test_an_empty_file_has_no_ladder():
    with pytest.raises(ConfigError):
        read_ladder([])


def test_an_endless_journal_is_cut(monkeypatch):
    monkeypatch.setattr(ladder, "MAX_STEPS", 3)
    assert len(steps(*[line(1.0, "held", on=True)] * 9)) == 3


@given(st.permutations(transferred()[1:]), st.integers(0, 20))
def test_any_order_of_events_has_a_ladder(lines, count):
    drawn = read_ladder([opened(), *lines[:count]])
    keys = {party.key for party in drawn.parties}
    known = sum(json.loads(text)["kind"] != "call_started" for text in lines[:count])
    assert len(drawn.steps) <= known
    assert all({step.source, step.target} <= keys for step in drawn.steps)


def test_what_came_before_the_journal_was_opened_stands_at_its_beginning():
    assert [step.at for step in steps(invite(-0.001), line(2, "held", on=True))] == [0.0, 2.0]


def test_what_nobody_heard_stands_without_quotes():
    [said, heard] = steps(
        line(1, "agent_said", text="Hello.", heard="", interrupted=True),
        line(2, "caller_said", text="", confidence=0.0, intent="", slots=None, way="voice"),
    )
    assert (said.title, heard.title) == ("(nothing was heard)", "(not understood)")


def test_fillers_are_drawn_as_words_of_ours():
    [filler] = steps(line(1, "filler_said", text="One moment.", waited_ms=700.0))
    assert (filler.title, filler.details) == ("“One moment.”", ("to bridge a wait",))
