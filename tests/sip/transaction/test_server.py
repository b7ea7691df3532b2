import pytest

from opensip.errors import LocalProtocolError
from opensip.sip.transaction.machine import State, TransportFailed
from opensip.sip.transaction.server import ServerTransaction
from tests.fakes.run_until import run_until
from tests.fakes.sip_exchange import make_request

BYE = make_request("BYE")


def test_retransmissions_are_absorbed_in_each_state():
    tx = ServerTransaction(reliable=False)
    tx.receive(BYE, now=0)
    assert tx.messages_to_send() == []
    tx.respond(100, b"100", now=1)
    assert tx.state is State.PROCEEDING
    tx.receive(BYE, now=2)
    assert tx.messages_to_send() == [b"100", b"100"]
    tx.respond(200, b"200", now=3)
    tx.receive(BYE, now=4)
    assert tx.messages_to_send() == [b"200", b"200"]
    tx.handle_timer(now=34.9)
    assert tx.state is State.COMPLETED
    assert tx.get_timer() == 35  # timer J
    assert run_until(tx, 35) == []
    assert tx.state is State.TERMINATED
    tx.receive(BYE, now=36)
    assert tx.messages_to_send() == []


def test_reliable_transport_needs_no_timer_j():
    tx = ServerTransaction(reliable=True)
    tx.handle_timer(now=0)
    tx.respond(200, b"200", now=3)
    assert tx.get_timer() == 3


def test_second_final_response_is_our_bug():
    tx = ServerTransaction(reliable=True)
    tx.respond(200, b"200", now=0)
    with pytest.raises(LocalProtocolError, match="cannot send 500 in COMPLETED"):
        tx.respond(500, b"500", now=0)


def test_transport_failure_is_told_only_before_the_final_response():
    tx = ServerTransaction(reliable=True)
    tx.transport_failed()
    assert tx.next_event() == TransportFailed()
    assert tx.state is State.TERMINATED
    done = ServerTransaction(reliable=True)
    done.respond(200, b"200", now=0)
    done.transport_failed()
    assert done.next_event() is None
    assert done.get_timer() is None
