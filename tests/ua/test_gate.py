from opensip.errors import RemoteProtocolError
from opensip.sip.flow import Flow
from opensip.sip.message import parse_message
from opensip.ua.gate import Gate
from opensip.ua.options import Refusal
from tests.fakes.agents import admission
from tests.fakes.sip_exchange import make_request

HERE = Flow("UDP", ("127.0.0.1", 5060), ("127.0.0.9", 1024))
AWAY = Flow("UDP", ("127.0.0.1", 5060), ("192.0.2.9", 1024))


class Sent(list):
    def __call__(self, data, flow):
        self.append((parse_message(data), flow))


def gate_of(**more):
    sent = Sent()
    return Gate(admission(**more), sent), sent


def test_the_admitted_come_in_and_others_are_counted():
    gate, sent = gate_of()
    assert gate.admit(make_request(), HERE, now=0).trunk == "local"
    assert gate.admit(make_request(), AWAY, now=0) is None
    assert gate.counts == {"ignored": 1}
    assert sent == []


def test_refusal_goes_to_where_the_request_came_from():
    gate, sent = gate_of(strangers="refuse")
    gate.admit(make_request(), AWAY, now=0)
    gate.admit(make_request(via="SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1"), AWAY, now=0)
    assert [(r.status, flow.remote[1]) for r, flow in sent] == [(403, 1024), (403, 5070)]


def test_stray_requests_of_strangers_meet_silence():
    gate, sent = gate_of()
    gate.refuse_stray(make_request("BYE", to_tag="x"), AWAY, now=0)
    assert sent == []
    gate.refuse_stray(make_request("BYE", to_tag="x"), HERE, now=0)
    assert [response.status for response, _ in sent] == [481]
    assert gate.counts == {"stray": 2}


def test_what_cannot_be_read_is_answered_to_who_is_known():
    gate, sent = gate_of()
    error = RemoteProtocolError("no", sip_status=513, reason="Message Too Large")
    for flow in (HERE, AWAY):
        gate.refuse_bytes(make_request().to_bytes(), error, flow, now=0)
        gate.refuse_bytes(b"", error, flow, now=0)
        gate.refuse_bytes(b"\xff\r\n\r\n", error, flow, now=0)
    [(response, flow)] = sent
    assert (response.status, flow) == (513, HERE)
    assert gate.counts == {"malformed": 6}


def test_same_request_gets_the_same_tag():
    gate, sent = gate_of()
    for branch in ("z9hG4bK1", "z9hG4bK1", "z9hG4bK2"):
        gate.answer(make_request(branch=branch), HERE, Refusal(503))
    tags = [response.to.tag for response, _ in sent]
    assert tags[0] == tags[1] != tags[2]
