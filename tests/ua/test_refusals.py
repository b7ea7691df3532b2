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


def test_a_flood_of_sources_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(refusals, "MAX_SOURCES", 10)
    noted = Refusals()
    for number in range(35):
        noted.note("ignored", f"192.0.2.{number}", "no trunk", now=0.0)
    assert len(noted._quiet_until) <= 10
