from opensip.errors import RemoteProtocolError
from opensip.sip.challenge import authorize
from opensip.sip.digest import Ha1
from opensip.sip.flow import Flow
from opensip.sip.message import parse_message
from opensip.ua.admission import TrunkAdmission
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


def user():
    hashes = Ha1.of("alice", "opensip.test", "pw")
    return TrunkAdmission("phones", users={"alice": hashes})


def test_a_stranger_gets_ten_challenges_then_silence():
    sent = Sent()
    gate = Gate(admission(user()), sent)
    for _ in range(15):
        gate.admit(make_request(), AWAY, now=0)
    assert [response.status for response, _ in sent] == [401] * 10
    assert gate.counts == {"unanswered": 5}
    gate.admit(make_request(), AWAY, now=61)
    assert len(sent) == 11


def test_a_good_password_speaks_for_its_source():
    sent = Sent()
    gate = Gate(admission(user()), sent)
    for _ in range(12):
        gate.admit(make_request(), AWAY, now=0)
    challenge = sent[0][0].headers.get("WWW-Authenticate")
    request = make_request()
    _, value = authorize(
        [challenge], username="alice", password="pw", method=request.method,
        uri=str(request.uri), cnonce="c", nc=1, realms=["opensip.test"],
    )  # fmt: skip
    signed = request.with_headers(request.headers.add("Authorization", value))
    assert gate.admit(signed, AWAY, now=1).user == "alice"
    gate.admit(make_request(), AWAY, now=2)
    assert len(sent) == 11


def test_floods_and_scanners_are_not_heard():
    gate, _ = gate_of()
    assert all(gate.hears(b"x", HERE, now=0) for _ in range(2000))
    heard = [gate.hears(b"x", AWAY, now=0) for _ in range(1000)]
    assert heard.count(True) == 100
    assert gate.counts["rate"] == 201
    assert gate.counts["banned"] == 699
    assert gate.is_banned("192.0.2.9", now=1)
    assert gate.banned(now=1) == {"192.0.2.9": 299}
    other = Flow("UDP", ("127.0.0.1", 5060), ("192.0.2.10", 1024))
    assert not gate.hears(b"OPTIONS\r\nUser-Agent: friendly-scanner\r\n", other, now=0)
    assert gate.counts["scanner"] == 1


def test_who_we_call_may_answer_as_fast_as_it_likes():
    gate, _ = gate_of()
    gate.vouch(AWAY, now=0)
    assert all(gate.hears(b"x", AWAY, now=0) for _ in range(1000))


def test_connections_turned_away_are_counted():
    gate, _ = gate_of()
    gate.refuse_connection("tls", "192.0.2.9", "why", now=0)
    assert gate.counts == {"tls": 1}


def test_cancel_of_no_invite():
    gate, _ = gate_of()
    assert gate.answers_cancel(HERE, now=0)
    assert not gate.answers_cancel(AWAY, now=0)
    assert gate.counts == {"ignored": 1}
