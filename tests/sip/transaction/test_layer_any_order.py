"""The layer under whatever may happen, in whatever order."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from opensip.errors import LocalProtocolError
from opensip.sip.message import Request, parse_message
from opensip.sip.transaction import (
    RequestReceived,
    TransactionEnded,
    TransactionFailed,
    TransactionKey,
)
from tests.fakes.run_until import events_of
from tests.fakes.sip_exchange import TCP, UDP, answer_to, make_request
from tests.fakes.transactions import make, start

pool = st.one_of(
    st.tuples(
        st.just("request"),
        st.sampled_from(["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"]),
        st.integers(1, 3),
        st.sampled_from([None, "to1"]),
    ),
    st.tuples(st.just("respond"), st.integers(0, 5), st.sampled_from([100, 180, 200, 486])),
    st.tuples(st.just("send"), st.sampled_from(["INVITE", "OPTIONS", "BYE"])),
    st.tuples(st.just("answered"), st.integers(0, 5), st.sampled_from([100, 180, 200, 486])),
    st.tuples(st.just("cancel"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.floats(0.1, 40)),
    st.tuples(st.just("fail")),
)


class World:
    """A layer to which anything happens."""

    def __init__(self, flow):
        self.layer, self.flow, self.now = make(), flow, 0.0
        self.asked, self.wires, self.told = [], [], []

    def take(self):
        for flow, data in self.layer.messages_to_send():
            assert flow.transport == self.flow.transport
            message = parse_message(data)
            if isinstance(message, Request) and message.method != "ACK":
                self.wires.append(message)
        for event in events_of(self.layer):
            self.told.append(event)
            if isinstance(event, RequestReceived):
                self.asked.append(event)

    def do(self, step):
        match step:
            case "request", method, branch, to_tag:
                request = make_request(method, branch=f"z9hG4bK{branch}", to_tag=to_tag)
                self.layer.receive(request, self.flow, now=self.now)
            case "respond", index, status if self.asked:
                event = self.asked[index % len(self.asked)]
                with contextlib.suppress(LocalProtocolError):
                    response = answer_to(event.request, status)
                    self.layer.respond(event.key, response, now=self.now)
            case "send", method:
                start(self.layer, make_request(method, branch=None), self.flow)
            case "answered", index, status if self.wires:
                response = answer_to(self.wires[index % len(self.wires)], status)
                self.layer.receive(response, self.flow, now=self.now)
            case "cancel", index if self.wires:
                branch = self.wires[index % len(self.wires)].via.branch
                key = TransactionKey("client", branch, "INVITE")
                self.layer.cancel(key, now=self.now)
            case "wait", seconds:
                self.now += seconds
                self.layer.handle_timer(now=self.now)
            case ("fail",):
                self.layer.transport_failed(self.flow, now=self.now)
        self.take()


@settings(max_examples=150, deadline=None)
@given(flow=st.sampled_from([UDP, TCP]), steps=st.lists(pool, max_size=30))
def test_whatever_happens_nothing_stays_that_was_answered(flow, steps):
    world = World(flow)
    for step in steps:
        world.do(step)
    for event in world.asked:
        world.layer.forget(event.key)
    for key in list(world.layer._entries):
        world.layer.cancel(key, now=world.now)
    for wire in list(world.wires):
        world.layer.receive(answer_to(wire, 486), flow, now=world.now)
    for _ in range(12):
        world.do(("wait", 16.0))
    assert world.layer.counts() == {"server": 0, "client": 0}
    assert world.layer._merged == world.layer._by_flow == {}
    assert world.layer.get_timer() is None
    ended = [e.key for e in world.told if isinstance(e, TransactionEnded)]
    assert len(ended) == len(set(ended))
    # a server's key may be that of a later transaction too
    keys = [e.key for e in world.told if isinstance(e, TransactionFailed)]
    failed = [key for key in keys if key.side == "client"]
    assert len(failed) == len(set(failed))
