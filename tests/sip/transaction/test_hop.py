from opensip.sip.flow import Flow
from opensip.sip.transaction.hop import cancel_of, failure_ack, receive_via, send_via, way_back
from tests.fakes.sip_exchange import TCP, UDP, answer_to, make_request

NATTED = Flow("UDP", ("192.0.2.2", 5060), ("203.0.113.9", 1024))


def test_our_via_stands_on_top_and_asks_for_rport():
    request = send_via(make_request(), TCP, "192.0.2.2:5060", "z9hG4bKours")
    assert request.headers.get_all("Via") == (
        "SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bKours;rport",
        "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKone;rport",
    )


def test_received_and_rport_are_noted_and_nothing_else_changes():
    request = make_request(headers=(("Via", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKtwo"),))
    _ = request.cseq, request.vias
    noted = receive_via(request, NATTED)
    assert noted.via.received == "203.0.113.9"
    assert noted.via.rport == 1024
    assert [via.branch for via in noted.vias] == ["z9hG4bKone", "z9hG4bKtwo"]
    assert noted.vias[0] == noted.via
    assert noted.headers.remove("Via") == request.headers.remove("Via")
    assert noted.cseq is request.cseq
    assert noted.method == "INVITE"


def test_vias_on_one_line_stay_apart():
    line = "SIP/2.0/UDP a.example;branch=z9hG4bK1, SIP/2.0/UDP b.example;branch=z9hG4bK2"
    noted = receive_via(make_request(via=line), UDP)
    assert [via.received for via in noted.vias] == ["192.0.2.1", None]


def test_a_via_that_tells_the_truth_stays_as_it_is():
    request = make_request(via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKone")
    assert receive_via(request, UDP) is request


def test_a_received_that_the_peer_made_up_is_overwritten():
    forged = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKone;received=198.51.100.1"
    assert receive_via(make_request(via=forged), UDP).via.received == "192.0.2.1"


def test_responses_go_back_where_the_request_came_from():
    assert way_back(make_request(), NATTED) is NATTED
    assert way_back(make_request(via="SIP/2.0/TCP a;branch=z9hG4bK1"), TCP) is TCP


def test_without_rport_responses_go_to_the_port_of_the_via():
    old = make_request(via="SIP/2.0/UDP a.example:5070;branch=z9hG4bK1")
    assert way_back(old, NATTED).remote == ("203.0.113.9", 5070)
    older = make_request(via="SIP/2.0/UDP a.example;branch=z9hG4bK1;maddr=198.51.100.1")
    assert way_back(older, NATTED).remote == ("203.0.113.9", 5060)


def test_ack_of_a_failure_follows_section_17_1_1_3():
    invite = make_request(headers=(("Route", "<sip:p;lr>"), ("Via", "SIP/2.0/UDP below")))
    assert failure_ack(invite, answer_to(invite, 486)).decode().split("\r\n") == [
        "ACK sip:bob@192.0.2.2 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKone;rport",
        "Max-Forwards: 70",
        "From: <sip:alice@example.com>;tag=from1",
        "To: <sip:bob@example.com>;tag=to1",
        "Call-ID: call1",
        "CSeq: 1 ACK",
        "Route: <sip:p;lr>",
        "Content-Length: 0",
        "",
        "",
    ]


def test_cancel_follows_section_9_1():
    cancel = cancel_of(make_request(body=b"offer"))
    assert cancel.method == cancel.cseq.method == "CANCEL"
    assert cancel.via == make_request().via
    assert cancel.to.tag is None
    assert cancel.body == b""
