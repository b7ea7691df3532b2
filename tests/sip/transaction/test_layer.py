import pytest

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.sip.flow import Flow
from opensip.sip.message import parse_message
from opensip.sip.transaction import (
    AckReceived,
    ResponseReceived,
    ResponseUnacknowledged,
    TransactionEnded,
    TransactionFailed,
    TransactionKey,
)
from tests.fakes.run_until import events_of
from tests.fakes.sip_exchange import TCP, UDP, answer_to, make_request
from tests.fakes.transactions import TIMERS, make, received, run, sent, start


class TestRequests:
    def test_a_new_request_is_told_once_with_the_way_it_came(self):
        layer, invite = make(), make_request()
        layer.receive(invite, UDP, now=0)
        (event,) = events_of(layer)
        assert event.key == TransactionKey("server", "z9hG4bKone", "INVITE", "192.0.2.1:5060")
        assert event.flow == UDP
        assert event.request.via.received == "192.0.2.1"
        layer.receive(invite, UDP, now=0.5)
        assert events_of(layer) == sent(layer) == []
        layer.respond(event.key, answer_to(event.request, 180), now=1)
        layer.receive(invite, UDP, now=1.5)
        assert [r.status for r in sent(layer)] == [180, 180]

    def test_a_failure_is_acknowledged_by_the_branch_of_the_invite(self):
        layer = make()
        key = received(layer, make_request())
        layer.respond(key, answer_to(make_request(), 486), now=0)
        assert [r.status for r in sent(layer)] == [486]
        layer.receive(make_request("ACK", to_tag="to1"), UDP, now=0.2)
        assert events_of(layer) == []
        assert run(layer, 60) == []
        assert layer.counts() == {"server": 0, "client": 0}

    def test_a_failure_that_nobody_acknowledges_is_told(self):
        layer = make()
        key = received(layer, make_request())
        layer.respond(key, answer_to(make_request(), 486), now=0)
        layer.messages_to_send()
        times = [at for at, _, _ in run(layer, 60)]
        assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
        assert events_of(layer) == [ResponseUnacknowledged(key)]

    def test_an_ack_by_the_branch_of_its_invite_has_our_tag_whatever_it_says(self):
        layer, invite = make(), make_request()
        key = received(layer, invite)
        layer.respond(key, answer_to(invite, 200), now=0)
        layer.receive(make_request("ACK", to_tag="made-up"), UDP, now=0.1)
        assert [event.request.to.tag for event in events_of(layer)] == ["to1"]

    def test_the_ack_of_a_2xx_is_told_whatever_its_branch(self):
        layer, invite = make(), make_request()
        key = received(layer, invite)
        layer.respond(key, answer_to(invite, 200), now=0)
        for branch in ("z9hG4bKone", "z9hG4bKnew"):
            ack = make_request("ACK", branch=branch, to_tag="to1")
            layer.receive(ack, UDP, now=0.1)
            assert events_of(layer) == [AckReceived(ack, UDP)]

    def test_a_2xx_may_be_given_again_until_the_transaction_is_over(self):
        layer, invite = make(), make_request()
        key = received(layer, invite)
        for now in (0, 0.5, 1.5):
            layer.respond(key, answer_to(invite, 200), now=now)
        assert [r.status for r in sent(layer)] == [200, 200, 200]
        assert run(layer, 32) == []
        layer.respond(key, answer_to(invite, 200), now=40)
        assert sent(layer) == []

    def test_a_copy_over_another_path_gets_482(self):
        layer = make()
        key = received(layer, make_request())
        layer.receive(make_request(branch="z9hG4bKtwo"), UDP, now=0)
        assert events_of(layer) == []
        assert [r.status for r in sent(layer)] == [482]
        layer.receive(make_request("ACK", branch="z9hG4bKtwo"), UDP, now=0)
        assert events_of(layer) == []
        layer.respond(key, answer_to(make_request(), 404), now=0)
        layer.receive(make_request("ACK"), UDP, now=0)
        run(layer, 60)
        assert received(layer, make_request(branch="z9hG4bKthree"), now=61)

    def test_within_a_dialog_nothing_is_merged(self):
        layer = make()
        received(layer, make_request("BYE", to_tag="x"))
        assert received(layer, make_request("BYE", to_tag="x", branch="z9hG4bKtwo"))

    def test_a_request_of_rfc_2543_is_answered_and_its_ack_matched(self):
        layer, via = make(), "SIP/2.0/UDP 192.0.2.1:5060"
        key = received(layer, make_request(via=via))
        layer.receive(make_request(via=via), UDP, now=0.1)
        assert events_of(layer) == []
        layer.respond(key, answer_to(make_request(via=via), 486), now=0.2)
        assert [r.status for r in sent(layer)] == [486]
        layer.receive(make_request("ACK", via=via, to_tag="to1"), UDP, now=0.3)
        assert layer.get_timer() == 0.7
        assert run(layer, 6) == []
        assert layer.counts()["server"] == 0

    def test_a_forgotten_request_leaves_nothing(self):
        layer = make()
        key = received(layer, make_request())
        layer.forget(key)
        layer.forget(key)
        layer.respond(key, answer_to(make_request(), 200), now=0)
        assert layer.counts() == {"server": 0, "client": 0}
        assert layer._merged == layer._by_flow == {}
        assert received(layer, make_request()) == key

    def test_responses_go_to_the_port_of_a_via_without_rport(self):
        layer, via = make(), "SIP/2.0/UDP 192.0.2.1:5099;branch=z9hG4bKone"
        key = received(layer, make_request("OPTIONS", via=via))
        layer.respond(key, answer_to(make_request("OPTIONS", via=via), 200), now=0)
        ((flow, _),) = layer.messages_to_send()
        assert flow.remote == ("192.0.2.1", 5099)

    def test_a_second_final_response_is_our_bug(self):
        layer = make()
        key = received(layer, make_request("BYE"))
        layer.respond(key, answer_to(make_request("BYE"), 200), now=0)
        with pytest.raises(LocalProtocolError):
            layer.respond(key, answer_to(make_request("BYE"), 500), now=0)

    def test_a_request_that_cannot_be_matched_changes_nothing(self):
        layer = make()
        with pytest.raises(RemoteProtocolError):
            layer.receive(make_request(branch=None), UDP, now=0)
        assert layer.counts() == {"server": 0, "client": 0}


class TestResponses:
    def test_a_request_gets_our_via_and_is_resent(self):
        layer = make()
        key, wire = start(layer, make_request("OPTIONS", branch=None))
        assert key == TransactionKey("client", "z9hG4bKt1", "OPTIONS")
        via = wire.headers.get("Via")
        assert via == "SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKt1;rport"
        again = run(layer, 2)
        assert [(at, m) for at, _, m in again] == [(0.5, wire), (1.5, wire)]
        response = answer_to(wire, 200)
        layer.receive(response, UDP, now=2)
        layer.receive(response, UDP, now=2.1)
        assert events_of(layer) == [ResponseReceived(key, response, UDP)]
        run(layer, 60)
        assert events_of(layer) == [TransactionEnded(key)]
        assert layer.counts() == {"server": 0, "client": 0}

    @pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
    def test_nobody_answers(self, method):
        layer = make()
        key, _ = start(layer, make_request(method, branch=None))
        run(layer, 32)
        assert events_of(layer) == [TransactionFailed(key, 408), TransactionEnded(key)]

    def test_each_2xx_of_an_invite_is_told_and_none_acknowledged(self):
        layer = make()
        key, wire = start(layer)
        one, fork = answer_to(wire, 200), answer_to(wire, 200, to_tag="to2")
        for response in (one, fork, one):
            layer.receive(response, UDP, now=1)
        assert events_of(layer) == [ResponseReceived(key, r, UDP) for r in (one, fork, one)]
        assert sent(layer) == []

    def test_a_failure_of_an_invite_is_acknowledged_each_time(self):
        layer = make()
        key, wire = start(layer, make_request(branch=None, headers=(("Route", "<sip:p;lr>"),)))
        busy = answer_to(wire, 486)
        layer.receive(busy, UDP, now=1)
        layer.receive(busy, UDP, now=2)
        acks = sent(layer)
        assert len(acks) == 2
        assert acks[0].via == wire.via
        assert (acks[0].cseq.method, acks[0].to.tag) == ("ACK", "to1")
        assert acks[0].headers.get("Route") == "<sip:p;lr>"
        assert events_of(layer) == [ResponseReceived(key, busy, UDP)]

    def test_strays_are_dropped(self):
        layer = make()
        _, wire = start(layer)
        layer.receive(answer_to(make_request(), 200), UDP, now=0)
        layer.receive(answer_to(make_request("BYE", branch="z9hG4bKt1"), 200), UDP, now=0)
        assert events_of(layer) == sent(layer) == []
        received(layer, wire)
        assert layer.counts() == {"server": 1, "client": 1}

    def test_stateless_messages(self):
        layer = make()
        layer.send_stateless(make_request("ACK", branch=None), TCP, via_sent_by="192.0.2.2:5060")
        layer.send_stateless(answer_to(make_request(), 403), UDP)
        (to_tcp, ack), (to_udp, refusal) = layer.messages_to_send()
        assert (to_tcp, to_udp) == (TCP, UDP)
        assert parse_message(ack).via.branch == "z9hG4bKt1"
        assert parse_message(refusal).status == 403
        assert layer.counts() == {"server": 0, "client": 0}
        with pytest.raises(LocalProtocolError, match="needs a Via"):
            layer.send_stateless(make_request("ACK", branch=None), TCP)

    def test_answering_our_own_request_is_our_bug(self):
        layer = make()
        key, wire = start(layer)
        with pytest.raises(LocalProtocolError, match="client"):
            layer.respond(key, answer_to(wire, 200), now=0)


class TestTransportFailure:
    @pytest.mark.parametrize("flow", [UDP, TCP])
    def test_all_transactions_of_the_flow_end(self, flow):
        layer = make()
        other = Flow(flow.transport, flow.local, ("192.0.2.77", 5060), flow.serial)
        waiting, _ = start(layer, make_request("OPTIONS", branch=None), flow)
        served = received(layer, make_request(), flow)
        settled = received(layer, make_request("BYE", cseq=2), flow)
        layer.respond(settled, answer_to(make_request("BYE", cseq=2), 200), now=0)
        elsewhere, _ = start(layer, make_request("OPTIONS", branch=None), other)
        layer.transport_failed(flow, now=1)
        events = events_of(layer)
        assert {e.key for e in events if isinstance(e, TransactionFailed)} == {waiting, served}
        assert all(e.status == 503 for e in events if isinstance(e, TransactionFailed))
        assert set(layer._entries) == {elsewhere}
        layer.transport_failed(flow, now=2)
        assert events_of(layer) == []

    def test_over_tcp_nothing_is_resent_and_nothing_lingers(self):
        layer = make()
        _, wire = start(layer, make_request("BYE", branch=None, to_tag="x"), TCP)
        assert run(layer, 20) == []
        layer.receive(answer_to(wire, 200), TCP, now=20)
        layer.handle_timer(now=20)
        assert layer.counts() == {"server": 0, "client": 0}
        assert layer._by_flow == {}

    def test_only_our_requests_end_with_a_connection(self):
        layer = make()
        waiting, _ = start(layer, make_request("OPTIONS", branch=None), TCP)
        served = received(layer, make_request(), TCP)
        layer.connection_lost(TCP, now=1)
        assert [e.key for e in events_of(layer) if isinstance(e, TransactionFailed)] == [waiting]
        assert set(layer._entries) == {served}


class TestDeadlines:
    def test_a_deadline_that_moved_away_fires_in_vain_once(self):
        layer = make()
        _, wire = start(layer, make_request("OPTIONS", branch=None))
        layer.receive(answer_to(wire, 200), UDP, now=0.1)
        assert layer.get_timer() == 0.5
        layer.handle_timer(now=0.5)
        assert sent(layer) == []
        assert layer.get_timer() == 0.1 + TIMERS.t4

    def test_entries_of_what_is_over_are_dropped(self):
        layer = make()
        start(layer)
        layer.transport_failed(UDP, now=0)
        assert layer.get_timer() is None
        layer.handle_timer(now=100)
        assert sent(layer) == []

    def test_late_timers_all_fire(self):
        layer = make()
        for _ in range(3):
            start(layer)
        layer.handle_timer(now=0.7)
        assert len(sent(layer)) == 3
        assert layer.get_timer() == pytest.approx(1.7)
