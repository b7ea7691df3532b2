import structlog

from opensip.ua import refusals
from opensip.ua.refusals import Refusals


def test_each_is_counted_and_a_source_is_logged_once_a_minute():
    with structlog.testing.capture_logs() as logs:
        noted = Refusals()
        for now in range(70):
            noted.note("ignored", "192.0.2.1", "no trunk", now=float(now))
        noted.note("stray", "192.0.2.2", "no dialog", now=1.0)
    assert noted.counts == {"ignored": 70, "stray": 1}
    assert [(line["source"], line["unsaid"]) for line in logs] == [
        ("192.0.2.1", 0),
        ("192.0.2.1", 59),
        ("192.0.2.2", 0),
    ]


def test_kinds_are_told_apart_and_reasons_of_tls():
    with structlog.testing.capture_logs() as logs:
        noted = Refusals()
        for _ in range(2):
            noted.note("ignored", "192.0.2.1", "no trunk", now=0.0)
            noted.note("malformed", "192.0.2.1", "no Via in line 1", now=0.0)
            noted.note("malformed", "192.0.2.1", "no Via in line 2", now=0.0)
            noted.note("tls", "192.0.2.1", "the certificate has expired", now=0.0)
            noted.note("tls", "192.0.2.1", "wrong name", now=0.0)
    whys = [line["why"] for line in logs]
    assert whys == ["no trunk", "no Via in line 1", "the certificate has expired", "wrong name"]


def test_of_a_flood_from_forged_sources_the_log_hears_once_a_minute(monkeypatch):
    monkeypatch.setattr(refusals, "MAX_LINES", 2)
    with structlog.testing.capture_logs() as logs:
        noted = Refusals()
        for number in range(7):
            noted.note("ignored", f"192.0.2.{number}", "no trunk", now=0.0)
        noted.note("stray", "192.0.2.9", "no dialog", now=1.0)
        noted.note("ignored", "192.0.2.8", "no trunk", now=61.0)
    assert [(line["event"], line["kind"], line.get("count")) for line in logs] == [
        ("message_refused", "ignored", None),
        ("message_refused", "ignored", None),
        ("message_refused", "stray", None),
        ("refusals_untold", "ignored", 5),
        ("message_refused", "ignored", None),
    ]
    assert noted.counts["ignored"] == 8


def test_a_flood_of_sources_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(refusals, "MAX_QUIET", 10)
    monkeypatch.setattr(refusals, "MAX_LINES", 100)
    noted = Refusals()
    for number in range(35):
        noted.note("ignored", f"192.0.2.{number}", "no trunk", now=0.0)
    assert len(noted._quiet_until) <= 10
