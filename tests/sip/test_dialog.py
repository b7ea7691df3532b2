import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.sip.dialog import Dialog, DialogId, DialogState, asks_for_sips
from tests.fakes.sip_exchange import answer_to, make_request

OURS = "<sip:bob@192.0.2.2:5060>"
LOOSE = ("<sip:p1.example;lr>", "<sip:p2.example;lr>")
STRICT = ("<sip:p1.example;method=INVITE?Subject=x>", "<sip:p2.example;lr>")


def records(*routes):
    return tuple(("Record-Route", route) for route in routes)


def as_uas(**options):
    return Dialog.as_uas(make_request(**options), local_tag="ours", contact=OURS)


def as_uac(status=200, *, request=None, **options):
    request = request or make_request(cseq=7)
    return Dialog.as_uac(request, answer_to(request, status, **options), "<sip:alice@192.0.2.1>")


class TestCallee:
    def test_it_begins_early_with_the_peers_addresses(self):
        dialog = as_uas()
        assert dialog.id == DialogId("call1", "ours", "from1")
        assert dialog.state is DialogState.EARLY
        assert str(dialog.local) == "<sip:bob@example.com>;tag=ours"
        assert str(dialog.remote) == "<sip:alice@example.com>;tag=from1"
        assert str(dialog.remote_target) == "sip:alice@192.0.2.1:5060"
        assert (dialog.local_cseq, dialog.remote_cseq) == (0, 1)
        assert not dialog.secure
        dialog.confirm()
        assert dialog.state is DialogState.CONFIRMED

    def test_routes_keep_their_order(self):
        dialog = as_uas(headers=records(", ".join(LOOSE)))
        assert dialog.route_set == LOOSE
        assert str(dialog.next_hop) == "sip:p1.example;lr"

    def test_a_sips_request_makes_it_secure(self):
        assert as_uas(uri="sips:bob@192.0.2.2").secure

    @pytest.mark.parametrize(
        ("parts", "sips"),
        [
            ({}, False),
            ({"uri": "sips:bob@192.0.2.2"}, True),
            ({"contact": "<sips:alice@192.0.2.1>"}, True),
            ({"headers": records("<sips:p1.example;lr>, <sip:p2.example;lr>")}, True),
            (
                {"headers": records("<sip:p1.example;lr>"), "contact": "<sips:alice@192.0.2.1>"},
                False,
            ),
        ],
    )
    def test_who_asks_for_a_sips_contact(self, parts, sips):
        assert asks_for_sips(make_request(**parts)) is sips

    def test_without_contact_there_is_none(self):
        with pytest.raises(RemoteProtocolError, match="without Contact"):
            as_uas(contact=None)

    def test_a_peer_without_a_tag_is_one_of_rfc_2543(self):
        request = make_request()
        request = request.with_headers(request.headers.replace("From", "<sip:a@b>"))
        dialog = Dialog.as_uas(request, local_tag="ours", contact=OURS)
        assert dialog.id.remote_tag == ""


class TestCaller:
    def test_a_2xx_confirms_it(self):
        dialog = as_uac()
        assert dialog.id == DialogId("call1", "from1", "to1")
        assert dialog.state is DialogState.CONFIRMED
        assert str(dialog.remote_target) == "sip:bob@192.0.2.2:5070"
        assert str(dialog.next_hop) == "sip:bob@192.0.2.2:5070"
        assert (dialog.local_cseq, dialog.remote_cseq) == (7, None)

    def test_routes_are_turned_round(self):
        assert as_uac(headers=records(*LOOSE)).route_set == LOOSE[::-1]

    def test_an_early_one_takes_routes_and_target_from_the_2xx(self):
        request = make_request()
        dialog = as_uac(180, request=request, contact=None, headers=records(LOOSE[0]))
        assert dialog.state is DialogState.EARLY
        assert str(dialog.remote_target) == "sip:bob@192.0.2.2"
        dialog.receive_response(answer_to(request, 100, contact="<sip:wrong@x>"))
        dialog.receive_response(answer_to(request, 183, contact="<sip:b2@x>"))
        assert str(dialog.remote_target) == "sip:b2@x"
        dialog.receive_response(answer_to(request, 200, contact=None, headers=records(*LOOSE)))
        assert dialog.state is DialogState.CONFIRMED
        assert dialog.route_set == LOOSE[::-1]
        assert str(dialog.remote_target) == "sip:b2@x"

    def test_a_confirmed_one_keeps_its_routes(self):
        dialog = as_uac(headers=records(*LOOSE))
        reinvite = make_request(cseq=8)
        dialog.receive_response(answer_to(reinvite, 180, contact="<sip:wrong@x>"))
        dialog.receive_response(answer_to(make_request("BYE"), 200, contact="<sip:wrong@x>"))
        dialog.receive_response(answer_to(reinvite, 486, contact="<sip:wrong@x>"))
        dialog.receive_response(answer_to(reinvite, 200, contact="<sip:new@x>"))
        assert dialog.route_set == LOOSE[::-1]
        assert str(dialog.remote_target) == "sip:new@x"


class TestRequests:
    def test_each_has_the_next_cseq(self):
        dialog = as_uac()
        bye = dialog.create_request("BYE", headers=[("Reason", "SIP")])
        assert bye.to_bytes().decode().split("\r\n") == [
            "BYE sip:bob@192.0.2.2:5070 SIP/2.0",
            "Max-Forwards: 70",
            "From: <sip:alice@example.com>;tag=from1",
            "To: <sip:bob@example.com>;tag=to1",
            "Call-ID: call1",
            "CSeq: 8 BYE",
            "Reason: SIP",
            "Content-Length: 0",
            "",
            "",
        ]
        assert dialog.create_request("INFO").cseq.number == 9

    def test_those_that_may_move_the_target_have_a_contact(self):
        reinvite = as_uac().create_request("INVITE", body=b"sdp")
        assert str(reinvite.contact) == "<sip:alice@192.0.2.1>"
        assert reinvite.content_type == "application/sdp"
        notify = as_uac().create_request("NOTIFY", body=b"x", content_type="message/sipfrag")
        assert notify.content_type == "message/sipfrag"

    @pytest.mark.parametrize("method", ["ACK", "CANCEL"])
    def test_ack_and_cancel_are_no_new_requests(self, method):
        with pytest.raises(LocalProtocolError):
            as_uac().create_request(method)

    def test_loose_routing(self):
        bye = as_uas(headers=records(*LOOSE)).create_request("BYE")
        assert str(bye.uri) == "sip:alice@192.0.2.1:5060"
        assert bye.headers.get_all("Route") == LOOSE

    def test_strict_routing(self):
        dialog = as_uas(headers=records(*STRICT))
        bye = dialog.create_request("BYE")
        assert str(bye.uri) == "sip:p1.example"
        assert bye.headers.get_all("Route") == (STRICT[1], "<sip:alice@192.0.2.1:5060>")
        assert dialog.next_hop.host == "p1.example"

    def test_ack_has_the_number_of_its_invite_and_the_credentials(self):
        dialog = as_uac()
        dialog.create_request("INFO")
        ack = dialog.create_ack(7, b"answer", headers=[("Authorization", "Digest x")])
        assert str(ack.cseq) == "7 ACK"
        assert ack.headers.get("Authorization") == "Digest x"
        assert (ack.body, ack.content_type) == (b"answer", "application/sdp")
        assert ack.contact is None
        assert dialog.local_cseq == 8


class TestResponses:
    def test_what_makes_the_dialog_copies_record_route_and_has_tag_and_contact(self):
        request = make_request(headers=records(*LOOSE))
        dialog = Dialog.as_uas(request, local_tag="ours", contact=OURS)
        for status in (180, 200):
            response = dialog.create_response(request, status, body=b"sdp")
            assert response.to.tag == "ours"
            assert response.headers.get_all("Record-Route") == LOOSE
            assert str(response.contact) == OURS
            assert response.content_type == "application/sdp"
        refusal = dialog.create_response(request, 486, "Busy", headers=[("Retry-After", "5")])
        assert (refusal.reason, refusal.contact, refusal.to.tag) == ("Busy", None, "ours")
        assert refusal.headers.get("Retry-After") == "5"

    def test_100_has_no_tag(self):
        trying = as_uas().create_response(make_request(), 100)
        assert (trying.to.tag, trying.contact) == (None, None)

    def test_bye_is_answered_plainly(self):
        ok = as_uas().create_response(make_request("BYE", to_tag="ours"), 200)
        assert ok.contact is None


class TestOrder:
    def test_a_request_that_was_overtaken_gets_500(self):
        dialog = as_uas(cseq=5)
        dialog.receive_request(make_request("INFO", cseq=7))
        dialog.receive_request(make_request("INFO", cseq=7))
        with pytest.raises(RemoteProtocolError) as refused:
            dialog.receive_request(make_request("INFO", cseq=6))
        assert refused.value.sip_status == 500
        assert dialog.remote_cseq == 7

    def test_ack_and_cancel_have_the_number_of_their_invite(self):
        dialog = as_uas(cseq=5)
        dialog.receive_request(make_request("ACK", cseq=1))
        dialog.receive_request(make_request("CANCEL", cseq=9))
        assert dialog.remote_cseq == 5

    def test_the_first_request_of_a_callee_sets_the_number(self):
        dialog = as_uac()
        dialog.receive_request(make_request("BYE", cseq=0))
        assert dialog.remote_cseq == 0

    def test_the_target_moves_with_a_reinvite_only(self):
        dialog = as_uas()
        dialog.receive_request(make_request("INFO", cseq=2, contact="<sip:wrong@x>"))
        dialog.receive_request(make_request("INVITE", cseq=3, contact=None))
        assert str(dialog.remote_target) == "sip:alice@192.0.2.1:5060"
        dialog.receive_request(make_request("INVITE", cseq=4, contact="<sip:new@x>"))
        assert str(dialog.remote_target) == "sip:new@x"


steps = st.lists(
    st.tuples(
        st.sampled_from(["ask", "answer", "request"]),
        st.sampled_from(["INVITE", "UPDATE", "INFO", "BYE", "ACK", "CANCEL"]),
        st.integers(0, 6),
        st.sampled_from([100, 183, 200, 486]),
    ),
    max_size=20,
)


@given(steps=steps, routes=st.sampled_from([(), LOOSE, STRICT]), callee=st.booleans())
def test_any_order_of_messages_keeps_numbers_and_identity(steps, routes, callee):
    dialog = as_uas(headers=records(*routes)) if callee else as_uac(183, headers=records(*routes))
    identity, asked, heard = dialog.id, [dialog.local_cseq], dialog.remote_cseq
    was_confirmed = False
    for verb, method, number, status in steps:
        target = dialog.remote_target
        request = make_request(method, cseq=number, contact=f"<sip:moved{number}@h>")
        match verb:
            case "ask" if method in ("ACK", "CANCEL"):
                with pytest.raises(LocalProtocolError):
                    dialog.create_request(method)
            case "ask":
                asked.append(dialog.create_request(method).cseq.number)
            case "answer":
                dialog.receive_response(answer_to(request, status, headers=records(*LOOSE)))
            case _ if method not in ("ACK", "CANCEL") and number < (heard or 0):
                with pytest.raises(RemoteProtocolError) as caught:
                    dialog.receive_request(request)
                assert caught.value.sip_status == 500
                assert dialog.remote_target == target
            case _:
                dialog.receive_request(request)
                heard = heard if method in ("ACK", "CANCEL") else number
        if dialog.remote_target != target:
            assert method in ("INVITE", "UPDATE")
        assert dialog.remote_cseq == heard
        assert dialog.id == identity
        assert not (was_confirmed and dialog.state is DialogState.EARLY)
        was_confirmed = dialog.state is DialogState.CONFIRMED
    assert asked == list(range(asked[0], asked[0] + len(asked)))
