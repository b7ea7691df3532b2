import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.carriers.number import normalise
from opensip.errors import TransportFailed
from opensip.net.sti import Anchors
from opensip.sip.headers import Headers
from opensip.sip.message import Request
from opensip.sip.uri import Uri
from opensip.ua.verification import MAX_FIELDS, Verdict, Verifier, reasons
from tests.fakes.stir import URL, StirAuthority, number, signer, stir
from tests.fakes.virtual_time_loop import VirtualTimeLoop

__all__ = ["signer", "stir"]

NOW = int(datetime.now(UTC).timestamp())
COMPLETE = partial(normalise, country="US")


def invite(*identities, from_="<sip:+15551112222@h>", to="<sip:+15553334444@us>", more=()):
    headers = [("From", f"{from_};tag=1"), ("To", to), *more]
    headers += [("Identity", identity) for identity in identities]
    return Request("INVITE", Uri.parse("sip:+15553334444@us"), Headers(headers))


class Shelf:
    """Gives certificates by URL, after `delay` seconds; what it has not cannot be had."""

    def __init__(self, pages, delay=0.0):
        self.pages, self.delay, self.asked = pages, delay, []

    async def fetch(self, url):
        self.asked.append(url)
        await asyncio.sleep(self.delay)
        if url not in self.pages:
            raise TransportFailed(f"nothing at {url}")
        return self.pages[url]


def verify(stir, shelf, request, *, trusted=False, now=NOW):
    verifier = Verifier(Anchors(stir.pem), shelf.fetch, wall=lambda: now)
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(verifier.verify(request, trusted=trusted, normalise=COMPLETE))


@pytest.fixture
def judge(stir, signer):
    """Verify a request whose signer's chain can be had."""
    return lambda request, **more: verify(stir, Shelf({URL: signer.chain}), request, **more)


def outcome(verdict):
    return verdict.outcome, verdict.status


def test_a_number_that_is_signed_for(judge, signer):
    origin = "00000000-0000-0000-0000-000000000007"
    assert judge(invite(signer.identity(iat=NOW))) == Verdict("passed", 0, "", "A", origin, URL)


def test_numbers_are_compared_in_e_164(judge, signer):
    identity = signer.identity(iat=NOW)
    national = invite(identity, from_="<sip:(555)111-2222@h;user=phone>", to="<tel:5553334444>")
    assert judge(national).outcome == "passed"


def test_the_called_number_may_stand_in_the_request_uri_alone(judge, signer):
    assert judge(invite(signer.identity(iat=NOW), to="<sip:office@us>")).outcome == "passed"


@pytest.mark.parametrize(("trusted", "expected"), [(True, ("passed", 0)), (False, ("failed", 438))])
@pytest.mark.parametrize("name", ["P-Asserted-Identity", "Remote-Party-ID"])
def test_what_is_asserted_counts_of_a_trusted_trunk_only(judge, signer, name, trusted, expected):
    more = (("P-Asserted-Identity", "<<"), (name, '"A" <sip:+15551112222@h>'))
    request = invite(signer.identity(iat=NOW), from_="<sip:anonymous@h>", more=more)
    assert outcome(judge(request, trusted=trusted)) == expected


def test_from_does_not_count_where_another_is_asserted(judge, signer):
    more = (("Remote-Party-ID", "<sip:+15559999999@h>"),)
    request = invite(signer.identity(iat=NOW), more=more)
    assert outcome(judge(request, trusted=True)) == ("failed", 438)


def test_a_uri_may_be_signed_for(stir, signer):
    identity = signer.identity(iat=NOW, orig="sip:alice@EXAMPLE.com")
    request = invite(identity, from_="<sip:alice@example.com;x=1>")
    assert verify(stir, Shelf({URL: signer.chain}), request).outcome == "passed"


@pytest.mark.parametrize(
    ("changes", "status", "why"),
    [
        ({"orig": "15551112223"}, 438, "another caller"),
        ({"dest": "15553334445"}, 438, "somebody else"),
        ({"iat": NOW - 61}, 403, "signed 61 s ago"),
        ({"iat": NOW + 61}, 403, "signed -61 s ago"),
        ({"attest": "Z"}, 438, "without an attest"),
    ],
)
def test_what_is_signed_must_be_this_call_and_new(judge, signer, changes, status, why):
    verdict = judge(invite(signer.identity(**{"iat": NOW} | changes)))
    assert outcome(verdict) == ("failed", status)
    assert why in verdict.why
    assert (verdict.attestation, verdict.certificate) == ("", URL)


def test_sixty_seconds_are_new_enough(judge, signer):
    assert judge(invite(signer.identity(iat=NOW - 60))).outcome == "passed"
    assert judge(invite(signer.identity(iat=NOW + 60))).outcome == "passed"


def test_a_signature_that_was_moved_to_other_claims(judge, signer):
    good, other = signer.identity(iat=NOW), signer.identity(iat=NOW, attest="B")
    head, body, rest = good.split(".", 2)
    forged = f"{head}.{other.split('.')[1]}.{rest}"
    assert body not in forged
    assert outcome(judge(invite(forged))) == ("failed", 438)


def test_a_certificate_is_for_its_numbers_and_of_our_roots(stir):
    for made, status in (
        (stir.signer(number("15559999999")), 437),
        (StirAuthority().signer(), 437),
        (stir.signer(number("15551112222")), 0),
    ):
        shelf = Shelf({URL: made.chain})
        assert verify(stir, shelf, invite(made.identity(iat=NOW))).status == status


def test_a_certificate_that_cannot_be_had_proves_nothing(stir, signer):
    verdict = verify(stir, Shelf({}), invite(signer.identity(iat=NOW)))
    assert outcome(verdict) == ("unchecked", 436)
    assert "nothing at" in verdict.why


def test_nobody_waits_for_it_longer_than_two_seconds(stir, signer):
    shelf = Shelf({URL: signer.chain}, delay=60)
    verdict = verify(stir, shelf, invite(signer.identity(iat=NOW)))
    assert outcome(verdict) == ("unchecked", 436)
    assert "within 2 s" in verdict.why


def test_what_is_wrong_before_the_certificate_costs_no_fetch(stir, signer):
    shelf = Shelf({})
    assert verify(stir, shelf, invite(signer.identity(iat=0))).status == 403
    assert shelf.asked == []


def test_a_compact_form_is_checked_with_the_date_of_the_request(judge, signer):
    identity = signer.compact("15551112222", "15553334444", iat=NOW)
    date = format_datetime(datetime.fromtimestamp(NOW, UTC), usegmt=True)
    assert outcome(judge(invite(identity))) == ("failed", 403)
    assert outcome(judge(invite(identity, more=(("Date", "soon"),)))) == ("failed", 403)
    assert outcome(judge(invite(identity, more=(("Date", date),)))) == ("passed", 0)
    forged = invite(identity, from_="<sip:+15559999999@h>", more=(("Date", date),))
    assert outcome(judge(forged)) == ("failed", 438)


def test_other_kinds_of_passport_are_passed_over(judge, signer):
    div = signer.identity(iat=NOW).replace("ppt=shaken", "ppt=div")
    assert outcome(judge(invite(div))) == ("missing", 428)
    assert judge(invite(div, signer.identity(iat=NOW))).outcome == "passed"


def test_one_that_holds_is_enough_and_the_first_that_does_not_is_told(judge, signer):
    old = signer.identity(iat=0)
    assert judge(invite(old, "nonsense", signer.identity(iat=NOW))).outcome == "passed"
    assert outcome(judge(invite(old, "nonsense"))) == ("failed", 403)


def test_not_every_header_of_many_is_looked_at(judge, signer):
    assert judge(invite(*["x"] * MAX_FIELDS, signer.identity(iat=NOW))).outcome == "failed"


def test_why_is_one_short_line_whatever_a_certificate_says(stir):
    other = StirAuthority().signer(name='A\r\nVia: "x"\\' + "y" * 40)
    verdict = verify(stir, Shelf({URL: other.chain}), invite(other.identity(iat=NOW)))
    assert verdict.status == 437
    assert verdict.why.isprintable()
    assert len(verdict.why) <= 200
    [(name, value)] = reasons(verdict)
    assert name == "Reason"
    assert value.startswith('STIR;cause=437;text="')
    assert value.count('"') == 2
    assert "\\" not in value


def test_reasons_have_their_phrases():
    assert Verdict("failed", 403).reason == "Stale Date"
    assert Verdict("failed", 437).reason == "Unsupported Credential"
    assert Verdict("missing", 428).reason == "Use Identity Header"


@given(st.lists(st.text(max_size=40) | st.just("..A;info=<https://h>"), max_size=3))
def test_whatever_stands_there_gives_a_verdict(stir, texts):
    request = invite(*(text.replace("\r", "").replace("\n", "") for text in texts))
    assert verify(stir, Shelf({}), request).outcome in ("failed", "missing", "unchecked")


def test_identity_that_cannot_be_told_apart_has_failed(stir):
    verdict = verify(stir, Shelf({}), invite(',"'))
    assert (verdict.outcome, verdict.status) == ("failed", 438)
