import pytest

from opensip.sip.transaction.invite_client import InviteClientTransaction
from opensip.sip.transaction.machine import (
    CancelDue,
    ResponseReceived,
    State,
    TimedOut,
    TransportFailed,
)
from tests.fakes.run_until import events_of, run_until
from tests.fakes.sip_exchange import answer_to, make_request

INVITE = make_request("INVITE")
TRYING, RINGING, OK, BUSY = (answer_to(INVITE, status) for status in (100, 180, 200, 486))


def make(reliable=False):
    tx = InviteClientTransaction(
        b"INVITE", make_ack=lambda r: b"ACK %d" % r.status, reliable=reliable, now=0
    )
    assert tx.messages_to_send() == [b"INVITE"]
    return tx


def test_invite_is_resent_with_doubling_without_a_cap_then_times_out():
    tx = make()
    times = [at for at, _ in run_until(tx, 31.9)]
    assert times == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert run_until(tx, 33) == []
    assert events_of(tx) == [TimedOut()]
    assert tx.state is State.TERMINATED


def test_reliable_transport_never_resends_but_times_out():
    tx = make(reliable=True)
    assert run_until(tx, 32) == []
    assert events_of(tx) == [TimedOut()]


def test_a_provisional_response_stops_every_timer():
    tx = make()
    tx.receive(TRYING, now=0.1)
    tx.receive(RINGING, now=100)
    assert tx.get_timer() is None
    assert events_of(tx) == [ResponseReceived(TRYING), ResponseReceived(RINGING)]


def test_every_2xx_is_passed_up_for_64_t1():
    tx = make()
    tx.receive(RINGING, now=1)
    tx.receive(OK, now=2)
    tx.receive(OK, now=3)
    tx.receive(RINGING, now=3)
    tx.receive(BUSY, now=3)
    assert events_of(tx) == [ResponseReceived(r) for r in (RINGING, OK, OK)]
    assert tx.messages_to_send() == []
    assert tx.get_timer() == 34  # timer M
    tx.handle_timer(now=34)
    assert tx.state is State.TERMINATED
    assert events_of(tx) == []


def test_a_failure_is_acknowledged_each_time_and_told_once():
    tx = make()
    tx.receive(BUSY, now=2)
    tx.receive(BUSY, now=3)
    tx.receive(OK, now=4)
    tx.receive(RINGING, now=4)
    assert tx.messages_to_send() == [b"ACK 486", b"ACK 486"]
    assert events_of(tx) == [ResponseReceived(BUSY)]
    assert tx.get_timer() == 34  # timer D
    tx.handle_timer(now=34)
    assert tx.state is State.TERMINATED
    assert events_of(tx) == []


def test_reliable_transport_needs_no_timer_d():
    tx = make(reliable=True)
    tx.receive(BUSY, now=2)
    assert tx.get_timer() == 2


def test_cancel_waits_for_a_provisional_response():
    tx = make()
    tx.cancel(now=0.1)
    tx.cancel(now=0.2)
    assert events_of(tx) == []
    tx.receive(TRYING, now=1)
    assert events_of(tx) == [ResponseReceived(TRYING), CancelDue()]
    tx.receive(RINGING, now=2)
    assert events_of(tx) == [ResponseReceived(RINGING)]
    assert tx.get_timer() == 33


def test_a_cancelled_invite_that_is_never_answered_ends():
    tx = make()
    tx.receive(RINGING, now=1)
    tx.cancel(now=5)
    assert events_of(tx)[-1] == CancelDue()
    assert tx.get_timer() == 37
    tx.handle_timer(now=37)
    assert events_of(tx) == [TimedOut()]


@pytest.mark.parametrize("response", [OK, BUSY])
def test_cancel_after_the_final_response_does_nothing(response):
    tx = make()
    tx.receive(response, now=1)
    tx.cancel(now=2)
    assert events_of(tx) == [ResponseReceived(response)]


def test_transport_failure_is_told_only_before_the_final_response():
    tx = make()
    tx.transport_failed()
    assert events_of(tx) == [TransportFailed()]
    tx = make()
    tx.receive(OK, now=1)
    tx.transport_failed()
    assert events_of(tx) == [ResponseReceived(OK)]
    assert tx.state is State.TERMINATED


def test_a_timer_that_is_not_due_does_nothing():
    tx = make()
    tx.handle_timer(now=0.4)
    assert tx.messages_to_send() == []
