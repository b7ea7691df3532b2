from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import RemoteProtocolError
from opensip.sip.timing_fields import Date, MinSE, RetryAfter, SessionExpires


def test_session_expires():
    carriers = SessionExpires.parse(" 1800 ; Refresher=UAC;x=y")
    assert (carriers.seconds, carriers.refresher) == (1800, "uac")
    assert str(carriers) == "1800;Refresher=UAC;x=y"
    assert SessionExpires.parse("90").refresher is None
    assert SessionExpires.parse("90;refresher=both").refresher is None
    assert str(SessionExpires.of(90, "uas")) == "90;refresher=uas"
    assert str(SessionExpires.of(90)) == "90"


def test_min_se():
    assert MinSE.parse("90;lr").seconds == 90
    assert str(MinSE.parse("90;lr")) == "90;lr"


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, "uac", "uas"]))
def test_session_expires_round_trips(seconds, refresher):
    made = SessionExpires.of(seconds, refresher)
    assert SessionExpires.parse(str(made)) == made


def test_retry_after():
    # RFC 3261 section 20.33
    meeting = RetryAfter.parse("18000;duration=3600")
    assert (meeting.seconds, meeting.duration, meeting.comment) == (18000, 3600, None)
    commented = RetryAfter.parse("120 (I'm in a meeting)")
    assert (commented.seconds, commented.comment) == (120, "I'm in a meeting")
    assert commented.duration is None
    assert str(commented) == "120 (I'm in a meeting)"
    assert str(meeting) == "18000;duration=3600"


def test_date():
    text = "Sat, 13 Nov 2010 23:29:00 GMT"  # RFC 3261 section 20.17
    assert Date.parse(text).when == datetime(2010, 11, 13, 23, 29, tzinfo=UTC)
    assert str(Date.parse(text)) == text
    east = timezone(timedelta(hours=2))
    assert str(Date(datetime(2010, 11, 14, 1, 29, tzinfo=east))) == text


@given(st.datetimes(timezones=st.just(UTC)))
def test_date_round_trips(when):
    when = when.replace(microsecond=0)
    assert Date.parse(str(Date(when))).when == when


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (SessionExpires, ""),
        (SessionExpires, "-1"),
        (SessionExpires, "1800 uac"),
        (MinSE, "90s"),
        (RetryAfter, "soon"),
        (RetryAfter, "5 (unclosed"),
        (RetryAfter, "5 seconds"),
        (Date, "Sat, 13 Nov 2010 23:29:00 CET"),
        (Date, "Sat, 13 Foo 2010 23:29:00 GMT"),
        (Date, "Sat, 31 Feb 2010 23:29:00 GMT"),
        (Date, "2010-11-13T23:29:00Z"),
    ],
)
def test_what_does_not_follow_the_grammar(kind, text):
    with pytest.raises(RemoteProtocolError):
        kind.parse(text)
