"""One early dialog alone; the forks of a call: test_invite_attempt.py."""

from opensip.sip.dialog import Dialog
from opensip.sip.early_dialog import EarlyDialog
from opensip.sip.transaction.matching import key_of_request
from opensip.sip.usage import Ask, Respond
from tests.fakes.sip_exchange import answer_to, make_request


class Fork:
    def __init__(self, body=b"offer"):
        self.commands = []
        self.invite = make_request(body=body)
        self.dialog = Dialog.as_uac(
            self.invite, answer_to(self.invite, 180), "<sip:alice@192.0.2.1>"
        )
        self.early = EarlyDialog(
            self.dialog, self.commands.append, offered=bool(body), authorize=None
        )

    def ring(self, rseq, *, status=183, body=b""):
        headers = (("Require", "100rel"), ("RSeq", str(rseq))) if rseq is not None else ()
        response = answer_to(self.invite, status, headers=headers, body=body)
        return self.early.receive_provisional(response)

    def asked(self):
        requests = [c.request for c in self.commands if isinstance(c, Ask)]
        self.commands.clear()
        return requests

    def racks(self):
        return [request.headers.get("RAck") for request in self.asked()]

    def request(self, method, *, cseq=5, body=b""):
        request = make_request(
            method, cseq=cseq, from_tag="to1", to_tag="from1", body=body, branch=f"z9hG4bK{cseq}"
        )
        offered = self.early.receive_request(key_of_request(request), request)
        statuses = [c.response.status for c in self.commands if isinstance(c, Respond)]
        self.commands.clear()
        return offered, statuses


def test_each_reliable_response_is_acknowledged_once_and_in_order():
    alice = Fork()
    assert alice.ring(None) == b""
    assert alice.racks() == []
    assert alice.ring(5) == b""
    assert alice.ring(5) is None
    assert alice.ring(7) is None
    assert alice.ring(6) == b""
    assert alice.ring("x") is None
    assert alice.racks() == ["5 1 INVITE", "6 1 INVITE"]
    assert alice.dialog.local_cseq == 3


def test_the_answer_to_our_offer_is_no_offer():
    alice = Fork()
    assert not alice.early.is_described
    assert alice.ring(1, body=b"answer") == b""
    assert alice.early.is_described
    (prack,) = alice.asked()
    assert prack.body == b""


def test_an_offer_is_answered_in_the_prack():
    alice = Fork(body=b"")
    alice.early.acknowledge(b"nothing to answer")
    assert alice.ring(1, body=b"offer") == b"offer"
    assert not alice.early.is_described
    assert alice.asked() == []
    alice.early.acknowledge(b"answer")
    (prack,) = alice.asked()
    assert (prack.body, prack.headers.get("RAck")) == (b"answer", "1 1 INVITE")
    assert alice.early.is_described
    assert alice.ring(2, body=b"again") == b""


def test_update_of_the_peer():
    alice = Fork()
    assert alice.request("UPDATE", body=b"too early") == (False, [491])
    assert alice.request("UPDATE", cseq=6) == (False, [200])
    alice.ring(1, body=b"answer")
    alice.commands.clear()
    assert alice.request("UPDATE", cseq=7, body=b"offer") == (True, [])
    assert alice.request("UPDATE", cseq=8, body=b"another") == (False, [500])
    assert not alice.early.update(b"ours")
    alice.early.offer.respond(200, body=b"answer")
    assert alice.commands.pop().response.body == b"answer"
    assert alice.request("UPDATE", cseq=3) == (False, [500])
    assert alice.request("BYE", cseq=9) == (False, [481])


def test_update_of_ours():
    alice = Fork()
    assert not alice.early.update(b"offer")
    alice.ring(1, body=b"answer")
    alice.commands.clear()
    assert alice.early.update(b"offer")
    assert not alice.early.update(b"offer")
    assert alice.request("UPDATE", body=b"theirs") == (False, [491])
    sent = make_request("UPDATE", cseq=3, to_tag="to1")
    assert not alice.early.receive_response(answer_to(sent, 100))
    assert alice.early.receive_response(answer_to(sent, 200, body=b"answer"))
    assert not alice.early.receive_response(answer_to(make_request("PRACK", cseq=2), 200))
