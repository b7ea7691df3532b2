import pytest

from opensip.sip.headers import Headers
from opensip.ua.call_failed import CallFailed


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([], ""),
        ([("Warning", '305 h "no keys by SDES"')], "no keys by SDES"),
        ([("Warning", '399 h "one", 399 h "two"')], "one; two"),
        ([("Warning", "no warning at all")], "no warning at all"),
        ([("Reason", 'Q.850;cause=16;text="Terminated"')], "Terminated"),
        ([("Reason", "Q.850;cause=16")], "Q.850 16"),
        ([("Reason", "SIP")], "SIP"),
        ([("Reason", "Q.850;cause=many")], "Q.850;cause=many"),
        ([("Warning", '399 h "busy"'), ("Reason", 'SIP;text="busy"')], "busy"),
        ([("Warning", '399 h "a\x1b[2Jb"')], "a [2Jb"),
        ([("Warning", f'399 h "{"x" * 1000}"')], "x" * 300),
    ],
)
def test_what_the_peer_said_of_it(headers, why):
    failed = CallFailed(488, headers=Headers(headers))
    assert failed.why == why
    assert str(failed) == "488 Not Acceptable Here"
