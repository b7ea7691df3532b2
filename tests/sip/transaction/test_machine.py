"""What holds for all four machines in any order of events."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensip.errors import LocalProtocolError
from opensip.sip.transaction.client import ClientTransaction
from opensip.sip.transaction.invite_client import InviteClientTransaction
from opensip.sip.transaction.invite_server import InviteServerTransaction
from opensip.sip.transaction.machine import (
    AckReceived,
    AckTimedOut,
    CancelDue,
    Machine,
    ResponseReceived,
    State,
    TimedOut,
    TransportFailed,
)
from opensip.sip.transaction.server import ServerTransaction
from tests.fakes.run_until import events_of, run_until
from tests.fakes.sip_exchange import answer_to, make_request

REQUESTS = {m: make_request(m) for m in ("INVITE", "ACK", "BYE")}
STATUSES = (100, 180, 200, 302, 486, 600)
RESPONSES = {s: answer_to(REQUESTS["INVITE"], s) for s in STATUSES}
SETTLED = (State.COMPLETED, State.CONFIRMED, State.ACCEPTED, State.TERMINATED)

steps = st.lists(
    st.tuples(
        st.sampled_from(["receive", "respond", "cancel", "timer", "wait", "fail"]),
        st.sampled_from(STATUSES),
        st.sampled_from(["INVITE", "ACK"]),
        st.floats(0, 40),
    ),
    max_size=25,
)


def make(kind, reliable):
    match kind:
        case "invite_server":
            return InviteServerTransaction(reliable=reliable)
        case "server":
            return ServerTransaction(reliable=reliable)
        case "invite_client":
            return InviteClientTransaction(
                b"INVITE", make_ack=lambda r: b"ACK", reliable=reliable, now=0
            )
        case _:
            return ClientTransaction(b"BYE", reliable=reliable, now=0)


def take(tx, kind, step, now):
    """Do one step; give whether a second final response was refused."""
    verb, status, method, _ = step
    if verb == "receive" and kind.endswith("server"):
        tx.receive(REQUESTS[method if kind == "invite_server" else "BYE"], now=now)
    elif verb == "receive":
        tx.receive(RESPONSES[status], now=now)
    elif verb == "respond" and kind.endswith("server"):
        if tx.state in SETTLED and not (tx.state is State.ACCEPTED and status == 200):
            with pytest.raises(LocalProtocolError):
                tx.respond(status, b"x", now=now)
        else:
            tx.respond(status, b"x", now=now)
    elif verb == "cancel" and kind == "invite_client":
        tx.cancel(now=now)
    elif verb == "timer":
        tx.handle_timer(now=now)
    elif verb == "fail":
        tx.transport_failed()


@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("reliable", [True, False])
@pytest.mark.parametrize("kind", ["invite_server", "server", "invite_client", "client"])
@given(steps=steps)
def test_any_order_of_events_ends_and_is_told_once(kind, reliable, steps):
    tx, now, told = make(kind, reliable), 0.0, []
    for step in steps:
        now += step[3] / 10
        over = tx.state is State.TERMINATED
        tx.messages_to_send()
        take(tx, kind, step, now)
        sent, events = tx.messages_to_send(), events_of(tx)
        told += events
        if over:
            assert tx.state is State.TERMINATED
            assert sent == events == []
        if tx.state is State.TERMINATED:
            assert tx.get_timer() is None
        if reliable and step[0] in ("timer", "wait"):
            assert sent == []
    # Whoever is settled goes away by itself.
    settled = tx.state in SETTLED
    run_until(tx, now + 100)
    told += events_of(tx)
    if settled or (kind == "client"):
        assert tx.state is State.TERMINATED
    finals = [e for e in told if isinstance(e, TimedOut | TransportFailed | AckTimedOut)]
    responses = [e.response.status for e in told if isinstance(e, ResponseReceived)]
    assert len(finals) <= 1
    assert len([s for s in responses if s >= 300]) <= 1
    if any(s >= 200 for s in responses):
        assert finals == []
        assert [s for s in responses if s < 200] == responses[: sum(s < 200 for s in responses)]
    assert sum(isinstance(e, CancelDue) for e in told) <= 1
    if any(isinstance(e, AckReceived) for e in told):
        assert kind == "invite_server"


def test_the_sooner_of_two_timers_counts():
    machine = Machine(State.TRYING, 0.5)
    assert machine.get_timer() is None
    machine._expire_at = 3
    assert machine.get_timer() == 3
    machine._resend_at = 2
    assert machine.get_timer() == 2
    machine._expire_at = None
    assert machine.get_timer() == 2
