"""What a CANCEL, of the peer or of ours, does to the transaction it names."""

import pytest

from opensip.sip.transaction import (
    CancelReceived,
    ResponseReceived,
    TransactionEnded,
    TransactionFailed,
    TransactionKey,
)
from tests.fakes.run_until import events_of
from tests.fakes.sip_exchange import UDP, answer_to, make_request
from tests.fakes.transactions import make, received, run, sent, start


class TestCancelReceived:
    def test_before_the_final_response_the_user_is_told(self):
        layer = make()
        key = received(layer, make_request())
        layer.respond(key, answer_to(make_request(), 180, to_tag="ours"), now=0)
        layer.messages_to_send()
        cancel = make_request("CANCEL")
        layer.receive(cancel, UDP, now=1)
        (event,) = events_of(layer)
        assert isinstance(event, CancelReceived)
        assert event.key == key
        (ok,) = sent(layer)
        assert (ok.status, ok.cseq.method, ok.to.tag) == (200, "CANCEL", "ours")
        layer.receive(cancel, UDP, now=1.5)
        assert events_of(layer) == []
        assert [r.status for r in sent(layer)] == [200]
        layer.respond(key, answer_to(make_request(), 487), now=2)
        assert [r.status for r in sent(layer)] == [487]

    def test_before_any_response_it_has_a_tag_of_its_own(self):
        layer = make()
        received(layer, make_request())
        layer.receive(make_request("CANCEL"), UDP, now=1)
        assert [r.to.tag for r in sent(layer)] == ["t1"]

    @pytest.mark.parametrize("status", [200, 486])
    def test_after_the_final_response_it_is_answered_without_effect(self, status):
        layer = make()
        key = received(layer, make_request())
        layer.respond(key, answer_to(make_request(), status), now=0)
        layer.messages_to_send()
        layer.receive(make_request("CANCEL"), UDP, now=1)
        assert events_of(layer) == []
        assert [r.status for r in sent(layer)] == [200]

    def test_of_no_known_invite_it_gets_481(self):
        layer = make()
        received(layer, make_request("OPTIONS"))
        layer.receive(make_request("CANCEL"), UDP, now=1)
        assert [r.status for r in sent(layer)] == [481]
        assert events_of(layer) == []


class TestCancel:
    def test_it_waits_for_a_provisional_response(self):
        layer = make()
        key, wire = start(layer)
        layer.cancel(key, now=0.1)
        assert sent(layer) == []
        layer.receive(answer_to(wire, 180), UDP, now=1)
        (cancel,) = sent(layer)
        assert (cancel.method, cancel.via, cancel.to.tag) == ("CANCEL", wire.via, None)
        layer.receive(answer_to(cancel, 200), UDP, now=1.1)
        assert [type(e) for e in events_of(layer)] == [ResponseReceived]
        terminated = answer_to(wire, 487)
        layer.receive(terminated, UDP, now=1.2)
        assert events_of(layer) == [ResponseReceived(key, terminated, UDP)]
        assert [r.method for r in sent(layer)] == ["ACK"]
        assert run(layer, 100) == []
        assert layer.counts() == {"server": 0, "client": 0}

    def test_a_cancel_that_nobody_answers_ends_the_invite(self):
        layer = make()
        key, wire = start(layer)
        layer.receive(answer_to(wire, 180), UDP, now=1)
        events_of(layer)
        layer.cancel(key, now=5)
        assert [r.method for r in sent(layer)] == ["CANCEL"]
        run(layer, 100)
        assert events_of(layer) == [TransactionFailed(key, 408), TransactionEnded(key)]

    def test_of_an_invite_that_is_over_nothing_happens(self):
        layer = make()
        key, wire = start(layer)
        layer.receive(answer_to(wire, 200), UDP, now=1)
        layer.cancel(key, now=2)
        layer.cancel(TransactionKey("client", "none", "INVITE"), now=2)
        options, _ = start(layer, make_request("OPTIONS", branch=None))
        layer.cancel(options, now=2)
        assert sent(layer) == []
