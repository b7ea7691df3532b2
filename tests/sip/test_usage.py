from opensip.sip.usage import Cancel, Usage, authorized, credentials_of, next_hop, with_credentials
from tests.fakes.sip_exchange import answer_to, make_request

CREDENTIALS = [("Proxy-Authorization", "Digest two")]


def test_the_next_hop_is_the_first_route_or_the_request_uri():
    assert str(next_hop(make_request())) == "sip:bob@192.0.2.2"
    loose = make_request(headers=(("Route", "<sip:p;lr>, <sip:q;lr>"),))
    assert str(next_hop(loose)) == "sip:p;lr"
    strict = make_request(uri="sip:p", headers=(("Route", "<sip:bob@x>"),))
    assert str(next_hop(strict)) == "sip:p"


def test_a_challenged_request_goes_again_with_the_next_number():
    old = make_request(
        headers=(("Authorization", "Digest one"), ("Proxy-Authorization", "Digest old")),
        body=b"offer",
    )
    new = with_credentials(old, 2, CREDENTIALS)
    assert str(new.cseq) == "2 INVITE"
    assert not new.headers.has("Via")
    assert new.headers.get_all("Authorization") == ("Digest one",)
    assert new.headers.get_all("Proxy-Authorization") == ("Digest two",)
    assert (new.call_id, new.from_, new.body) == (old.call_id, old.from_, b"offer")
    assert credentials_of(new) == (("Authorization", "Digest one"), *CREDENTIALS)


def test_only_a_challenge_is_answered_and_only_if_wanted():
    request = make_request()
    for status, expected in ((401, CREDENTIALS), (407, CREDENTIALS), (403, None)):
        response = answer_to(request, status)
        assert authorized(request, response, lambda req, resp: CREDENTIALS) == expected
        assert authorized(request, response, None) is None


def test_queues_are_taken_in_order():
    usage = Usage()
    usage._events += ["one", "two"]
    usage._command(Cancel())
    assert usage.messages_to_send() == [Cancel()]
    assert usage.messages_to_send() == []
    assert [usage.next_event() for _ in range(3)] == ["one", "two", None]
