"""A transaction layer as tests drive it."""

from itertools import count

from opensip.sip.message import parse_message
from opensip.sip.timers import Timers
from opensip.sip.transaction import (
    RequestReceived,
)
from opensip.sip.transaction.layer import TransactionLayer
from tests.fakes.run_until import events_of
from tests.fakes.sip_exchange import UDP, make_request

TIMERS = Timers()


def make():
    numbers = count(1)
    return TransactionLayer(token=lambda: f"t{next(numbers)}")


def sent(layer):
    """Take what is to be sent, parsed."""
    return [parse_message(data) for _, data in layer.messages_to_send()]


def run(layer, end):
    """Fire all timers up to `end`; give (time, flow, message)."""
    out = []
    while (at := layer.get_timer()) is not None and at <= end:
        layer.handle_timer(now=at)
        out += [(at, flow, parse_message(data)) for flow, data in layer.messages_to_send()]
    return out


def received(layer, request, flow=UDP, now=0.0):
    """Receive a new request; give its key."""
    layer.receive(request, flow, now=now)
    (event,) = events_of(layer)
    assert isinstance(event, RequestReceived)
    return event.key


def start(layer, request=None, flow=UDP):
    """Send a request; give its key and how it looks on the wire."""
    request = request or make_request(branch=None)
    key = layer.send_request(request, flow, via_sent_by="192.0.2.2:5060", now=0)
    return key, sent(layer)[0]
