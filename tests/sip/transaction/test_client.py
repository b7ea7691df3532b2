from opensip.sip.timers import Timers
from opensip.sip.transaction.client import ClientTransaction
from opensip.sip.transaction.machine import ResponseReceived, State, TimedOut, TransportFailed
from tests.fakes.run_until import events_of, run_until
from tests.fakes.sip_exchange import answer_to, make_request

BYE = make_request("BYE")
TRYING, OK = answer_to(BYE, 100), answer_to(BYE, 200)


def make(**options):
    tx = ClientTransaction(b"BYE", now=0, **options)
    assert tx.messages_to_send() == [b"BYE"]
    return tx


def test_request_is_resent_with_doubling_capped_at_t2_then_times_out():
    tx = make(reliable=False)
    times = [at for at, _ in run_until(tx, 31.9)]
    assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert tx.next_event() is None
    assert run_until(tx, 40) == []
    assert tx.next_event() == TimedOut()
    assert tx.state is State.TERMINATED


def test_after_a_provisional_response_it_is_resent_every_t2():
    tx = make(reliable=False)
    tx.receive(TRYING, now=0.2)
    assert tx.state is State.PROCEEDING
    assert [at for at, _ in run_until(tx, 14)] == [0.5, 4.5, 8.5, 12.5]
    assert tx.next_event() == ResponseReceived(TRYING)


def test_reliable_transport_never_resends_but_times_out():
    tx = make(reliable=True)
    assert run_until(tx, 32) == []
    assert tx.next_event() == TimedOut()


def test_a_final_response_lingers_for_t4_and_absorbs_the_rest():
    tx = make(reliable=False)
    tx.receive(OK, now=1)
    tx.receive(OK, now=2)
    assert events_of(tx) == [ResponseReceived(OK)]
    assert tx.get_timer() == 6  # timer K
    tx.handle_timer(now=5.9)
    assert tx.state is State.COMPLETED
    assert run_until(tx, 6) == []
    assert tx.state is State.TERMINATED
    assert events_of(tx) == []


def test_reliable_transport_does_not_linger():
    tx = make(reliable=True)
    tx.receive(OK, now=1)
    assert tx.get_timer() == 1


def test_transport_failure_is_told_only_before_the_final_response():
    tx = make(reliable=True)
    tx.transport_failed()
    assert events_of(tx) == [TransportFailed()]
    assert tx.state is State.TERMINATED
    tx = make(reliable=True)
    tx.receive(OK, now=0)
    tx.transport_failed()
    assert events_of(tx) == [ResponseReceived(OK)]


def test_timers_can_be_shortened():
    tx = ClientTransaction(b"BYE", reliable=False, now=0, timers=Timers(t1=0.1, t2=0.4, t4=0.5))
    tx.messages_to_send()
    times = [round(at, 3) for at, _ in run_until(tx, 2)]
    assert times == [0.1, 0.3, 0.7, 1.1, 1.5, 1.9]
