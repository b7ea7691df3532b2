import pytest

from opensip.errors import LocalProtocolError
from opensip.sip.transaction.invite_server import InviteServerTransaction
from opensip.sip.transaction.machine import AckReceived, AckTimedOut, State, TransportFailed
from tests.fakes.run_until import run_until
from tests.fakes.sip_exchange import make_request

ACK, INVITE = make_request("ACK"), make_request("INVITE")


def test_failure_is_resent_with_doubling_capped_at_t2_then_gives_up():
    tx = InviteServerTransaction(reliable=False)
    tx.respond(486, b"486", now=0)
    assert tx.messages_to_send() == [b"486"]
    times = [at for at, _ in run_until(tx, 40)]
    assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert tx.next_event() == AckTimedOut()
    assert tx.state is State.TERMINATED


def test_reliable_transport_never_resends():
    tx = InviteServerTransaction(reliable=True)
    tx.respond(486, b"486", now=0)
    tx.messages_to_send()
    assert run_until(tx, 31) == []
    tx.receive(ACK, now=1)
    assert tx.get_timer() == 1
    tx.handle_timer(now=1)
    assert tx.state is State.TERMINATED
    assert tx.next_event() is None


def test_confirmed_absorbs_acks_for_t4():
    tx = InviteServerTransaction(reliable=False)
    tx.respond(486, b"486", now=0)
    tx.messages_to_send()
    tx.receive(ACK, now=1)
    tx.receive(ACK, now=2)
    tx.receive(INVITE, now=3)
    assert tx.state is State.CONFIRMED
    assert tx.get_timer() == 6
    assert run_until(tx, 6) == []
    assert tx.state is State.TERMINATED
    assert tx.next_event() is None


def test_2xx_moves_to_accepted_and_passes_the_ack_up():
    tx = InviteServerTransaction(reliable=False)
    tx.respond(180, b"180", now=0)
    tx.respond(200, b"200", now=1)
    assert tx.messages_to_send() == [b"180", b"200"]
    tx.receive(INVITE, now=2)
    assert tx.messages_to_send() == []
    tx.respond(200, b"200", now=2)
    assert tx.messages_to_send() == [b"200"]
    tx.receive(ACK, now=3)
    assert tx.next_event() == AckReceived(ACK)
    assert run_until(tx, 33) == []
    assert tx.state is State.TERMINATED


def test_a_retransmitted_invite_gets_the_last_response_again():
    tx = InviteServerTransaction(reliable=False)
    tx.receive(INVITE, now=0)
    assert tx.messages_to_send() == []
    tx.respond(100, b"100", now=0)
    tx.respond(180, b"180", now=0)
    tx.receive(INVITE, now=1)
    tx.receive(ACK, now=1)
    assert tx.messages_to_send() == [b"100", b"180", b"180"]
    tx.respond(486, b"486", now=1)
    tx.receive(INVITE, now=1.2)
    assert tx.messages_to_send() == [b"486", b"486"]
    assert tx.get_timer() == 1.5


def test_second_final_response_is_our_bug():
    tx = InviteServerTransaction(reliable=True)
    tx.respond(486, b"486", now=0)
    with pytest.raises(LocalProtocolError, match="cannot send 200 in COMPLETED"):
        tx.respond(200, b"200", now=1)


def test_failure_after_2xx_is_our_bug():
    tx = InviteServerTransaction(reliable=True)
    tx.respond(200, b"200", now=0)
    with pytest.raises(LocalProtocolError, match="cannot send 486 in ACCEPTED"):
        tx.respond(486, b"486", now=1)


def test_transport_failure_ends_it_at_once():
    tx = InviteServerTransaction(reliable=True)
    tx.transport_failed()
    assert tx.next_event() == TransportFailed()
    assert tx.state is State.TERMINATED
    assert tx.get_timer() is None


def test_transport_failure_after_the_2xx_is_not_told():
    tx = InviteServerTransaction(reliable=True)
    tx.respond(200, b"200", now=0)
    tx.transport_failed()
    assert tx.next_event() is None
    assert tx.state is State.TERMINATED


def test_a_timer_that_is_not_due_does_nothing():
    tx = InviteServerTransaction(reliable=False)
    tx.handle_timer(now=99)
    tx.respond(486, b"486", now=100)
    tx.messages_to_send()
    tx.handle_timer(now=100.4)
    assert tx.messages_to_send() == []
