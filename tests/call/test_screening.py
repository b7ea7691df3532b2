import asyncio

import pytest

from opensip.call.screening import is_due, is_refused, screen, variables_of
from opensip.carriers import Trunk
from opensip.events import IdentityChecked
from opensip.sip.headers import Headers
from opensip.sip.message import Request
from opensip.sip.uri import Uri
from opensip.ua.verification import MISSING, Verdict

PASSED = Verdict("passed", 0, "", "A", "origin", "https://h")
FAILED = Verdict("failed", 438, "the signature does not fit", certificate="https://h")
UNCHECKED = Verdict("unchecked", 436, "no answer")


def invite(*headers):
    return Request("INVITE", Uri.parse("sip:+15553334444@us"), Headers(headers))


SIGNED, PLAIN = invite(("Identity", "x")), invite()


class Notes:
    def __init__(self):
        self.events = []

    def note(self, event):
        self.events.append(event)


class Judge:
    """A verifier with its verdict ready."""

    def __init__(self, verdict):
        self.verdict = verdict

    async def verify(self, request, *, trusted, normalise):
        assert normalise("5551112222") == "+15551112222"
        assert not trusted
        return self.verdict


@pytest.mark.parametrize(
    ("identity", "signed", "plain"),
    [
        ("off", False, False),
        ("annotate", True, False),
        ("prefer", True, False),
        ("enforce", True, True),
    ],
)
def test_who_is_screened(identity, signed, plain):
    trunk = Trunk("t", identity=identity)
    assert (is_due(SIGNED, trunk), is_due(PLAIN, trunk)) == (signed, plain)


@pytest.mark.parametrize(
    ("identity", "refused"),
    [
        ("off", []),
        ("annotate", []),
        ("prefer", [FAILED]),
        ("enforce", [FAILED, UNCHECKED, MISSING]),
    ],
)
def test_who_is_refused(identity, refused):
    trunk = Trunk("t", identity=identity)
    verdicts = (PASSED, FAILED, UNCHECKED, MISSING)
    assert [verdict for verdict in verdicts if is_refused(verdict, trunk)] == refused


def screened(request, verifier):
    notes, times = Notes(), iter((1.0, 1.25, 1.25))
    trunk = Trunk("t", trusted=False)
    verdict = asyncio.run(screen(request, trunk, verifier, notes, now=lambda: next(times)))
    return verdict, notes.events


def test_what_came_of_it_is_noted():
    verdict, events = screened(SIGNED, Judge(PASSED))
    assert verdict == PASSED
    assert events == [IdentityChecked(1.25, "passed", 0, "", "A", "origin", "https://h", 250.0)]


def test_without_a_header_or_roots_nothing_is_verified():
    assert screened(PLAIN, Judge(PASSED))[0] == MISSING
    verdict, [event] = screened(SIGNED, None)
    assert (verdict.outcome, verdict.status) == ("unchecked", 436)
    assert "[identity] anchors" in event.why


def test_what_is_signed_stands_above_what_the_carrier_says():
    carriers = {"attestation": "C", "origination_id": "theirs", "x_campaign": "spring"}
    assert carriers | variables_of(PASSED, carriers) == {
        "identity": "passed",
        "verstat": "TN-Validation-Passed",
        "attestation": "A",
        "origination_id": "origin",
        "x_campaign": "spring",
    }


def test_the_verstat_of_the_carrier_stands():
    told = variables_of(FAILED, {"verstat": "TN-Validation-Passed"})
    assert told == {
        "identity": "failed",
        "verstat": "TN-Validation-Passed",
        "identity_error": "the signature does not fit",
    }
    assert variables_of(FAILED, {})["verstat"] == "TN-Validation-Failed"
    assert variables_of(UNCHECKED, {})["verstat"] == "No-TN-Validation"
    assert "verstat" not in variables_of(MISSING, {})
