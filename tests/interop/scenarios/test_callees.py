"""What our own INVITE meets: forks, challenges, redirections, routes, answers not quite right."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.scenarios.callee import Callee, branch_of
from tests.interop.scenarios.dialling import PASSWORD, REALM

pytestmark = pytest.mark.interop


@pytest.fixture
def ring(folder: Path) -> Iterator[Callable[..., Callee]]:
    """Let `opensip dial` call: `ring("--ring-timeout", "2")`."""
    callees = []

    def make(*options: str) -> Callee:
        callees.append(Callee(folder, *options))
        return callees[0]

    yield make
    for callee in callees:
        callee.close()


def test_a_lost_invite_comes_again_as_it_was(ring):
    """3261 17.1.1.2: after T1, the same branch and CSeq."""
    callee = ring()
    first = callee.wait_for("INVITE")
    began = time.monotonic()
    again = callee.wait_for("INVITE")
    assert 0.3 < time.monotonic() - began < 1.5
    assert (branch_of(again), again.one("CSeq")) == (branch_of(first), first.one("CSeq"))
    callee.respond(again, "486 Busy Here")
    callee.wait_for("ACK")
    assert callee.done().startswith("busy (486)")


def test_the_ack_of_a_refusal_is_of_its_transaction(ring):
    """3261 17.1.1.3: the branch of the INVITE, the To of the response."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    callee.respond(invite, "603 Decline")
    ack = callee.wait_for("ACK")
    assert branch_of(ack) == branch_of(invite)
    assert ack.one("To").endswith("tag=callee")
    assert ack.start.split()[1] == invite.start.split()[1]
    assert callee.done().startswith("rejected (603)")


def test_a_200_that_comes_again_gets_its_ack_again(ring):
    """3261 13.2.2.4: each retransmission of the 2xx."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    for _ in range(3):
        callee.answer(invite)
        ack = callee.wait_for("ACK", 2)
        assert ack.start.split()[1] == callee.contact.strip("<>")
        assert branch_of(ack) != branch_of(invite)
    assert callee.request(invite, "BYE").status == 200
    assert callee.done().startswith("answered (200)")


def test_of_two_forks_that_answer_one_is_hung_up(ring):
    """3261 13.2.2.4: each 2xx is acknowledged, the second dialog ended by BYE."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    callee.answer(invite, tag="one")
    assert callee.wait_for("ACK").one("To").endswith("tag=one")
    callee.answer(invite, tag="two")
    assert callee.wait_for("ACK").one("To").endswith("tag=two")
    bye = callee.wait_for("BYE")
    assert bye.one("To").endswith("tag=two")
    callee.respond(bye, "200 OK")
    assert callee.request(invite, "BYE", tag="one").status == 200
    assert callee.done().startswith("answered (200)")


def test_a_183_without_a_tag_makes_no_dialog_and_harms_none(ring):
    """3261 12.1.2: the 200 makes it."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    callee.respond(invite, "183 Session Progress", tag=None, body=callee.rtp.description())
    callee.answer(invite)
    callee.wait_for("ACK")
    assert callee.request(invite, "BYE").status == 200
    assert callee.done().startswith("answered (200)")


def test_who_answers_without_contact_is_reached_where_the_invite_went(ring):
    """3261 12.1.2: a phone of RFC 2543 may leave it out; the call is not lost for that."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    callee.respond(invite, "200 OK", contact=False, body=callee.rtp.description())
    assert callee.wait_for("ACK").start.split()[1] == callee.uri
    assert callee.request(invite, "BYE").status == 200
    assert callee.done().startswith("answered (200)")


def test_nothing_is_cancelled_before_something_was_heard(ring):
    """3261 9.1: CANCEL waits for a provisional response."""
    callee = ring("--ring-timeout", "1")
    invite = callee.wait_for("INVITE")
    end = time.monotonic() + 2
    while (left := end - time.monotonic()) > 0:
        message = callee.receive(left)
        assert message is None or message.method == "INVITE"
    callee.respond(invite, "180 Ringing")
    cancel = callee.wait_for("CANCEL")
    callee.respond(cancel, "200 OK")
    callee.respond(invite, "487 Request Terminated")
    callee.wait_for("ACK")
    callee.done()


def test_a_cancel_is_the_invite_again(ring):
    """3261 9.1: Request-URI, branch, Call-ID, From, To and number are those of the INVITE."""
    callee = ring("--ring-timeout", "1")
    invite = callee.wait_for("INVITE")
    callee.respond(invite, "180 Ringing")
    cancel = callee.wait_for("CANCEL")
    assert cancel.all("Via") == invite.all("Via")[:1]
    for name in ("From", "To", "Call-ID"):
        assert cancel.one(name) == invite.one(name)
    assert cancel.one("CSeq").split()[0] == invite.one("CSeq").split()[0]
    assert cancel.start.split()[1] == invite.start.split()[1]
    callee.respond(cancel, "200 OK")
    callee.respond(invite, "487 Request Terminated")
    callee.wait_for("ACK")
    assert callee.done().startswith("no answer (408)")


def test_a_200_that_crosses_the_cancel_is_hung_up(ring):
    """3261 9.1, 15: the call that nobody wants any more is acknowledged, then ended."""
    callee = ring("--ring-timeout", "1")
    invite = callee.wait_for("INVITE")
    callee.respond(invite, "180 Ringing")
    cancel = callee.wait_for("CANCEL")
    callee.answer(invite)
    callee.respond(cancel, "200 OK")
    callee.wait_for("ACK")
    callee.respond(callee.wait_for("BYE"), "200 OK")
    assert callee.done().startswith("no answer")


def challenge(*algorithms: str, realm: str = REALM) -> str:
    return "".join(
        f'Proxy-Authenticate: Digest realm="{realm}", nonce="n-{name}", qop="auth", '
        f"algorithm={name}\r\n"
        for name in algorithms
    )


def test_of_several_algorithms_the_first_that_we_know_is_used(ring):
    """8760 2.4: the topmost, here SHA-256 before MD5; the response is right."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    callee.respond(invite, "407 Proxy Authentication Required",
                   extra=challenge("SHA-999", "SHA-256", "MD5"))  # fmt: skip
    callee.wait_for("ACK")
    again = callee.wait_for("INVITE")
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', again.one("Proxy-Authorization")[7:]))
    assert (given["algorithm"], given["nonce"]) == ("SHA-256", "n-SHA-256")

    def h(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    middle = ":".join(given[name] for name in ("nonce", "nc", "cnonce", "qop"))
    a1, a2 = h(f"opensip:{REALM}:{PASSWORD}"), h(f"INVITE:{given['uri']}")
    assert given["response"] == h(f"{a1}:{middle}:{a2}")
    callee.respond(again, "486 Busy Here")
    assert callee.done().startswith("busy")


def test_a_challenge_after_ringing_is_answered_in_the_same_call(ring):
    """3261 22.2: the same Call-ID and From, the next CSeq."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    callee.respond(invite, "180 Ringing")
    callee.respond(invite, "407 Proxy Authentication Required", extra=challenge("MD5"))
    again = callee.wait_for("INVITE")
    assert again.one("Call-ID") == invite.one("Call-ID")
    assert again.one("From") == invite.one("From")
    numbers = [int(message.one("CSeq").split()[0]) for message in (invite, again)]
    assert numbers[1] == numbers[0] + 1
    assert branch_of(again) != branch_of(invite)
    callee.respond(again, "486 Busy Here")
    assert callee.done().startswith("busy")


def test_a_realm_that_is_not_the_trunks_gets_no_credentials(ring):
    """3261 22.3: they are for the realm that they were made for."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    callee.respond(invite, "407 Proxy Authentication Required",
                   extra=challenge("MD5", realm="evil.example"))  # fmt: skip
    assert callee.wait_for("ACK").all("Proxy-Authorization") == []
    assert callee.receive(1) is None
    assert callee.done().startswith("not allowed (407)")


def test_a_302_to_another_host_is_not_followed(ring):
    """3261 8.1.3.4: only the trunk's own hosts are called."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    contact = "Contact: <sip:+19005551234@192.0.2.66>\r\n"
    callee.respond(invite, "302 Moved Temporarily", contact=False, extra=contact)
    callee.wait_for("ACK")
    assert callee.receive(1) is None
    assert "302" in callee.done()


def test_a_302_to_itself_comes_to_an_end(ring):
    """3261 8.1.3.4: no URI is tried twice."""
    callee = ring()
    contact, count = f"Contact: <{callee.uri}>\r\n", 0
    message = callee.wait_for("INVITE")
    while message is not None:
        if message.method == "INVITE":
            count += 1
            callee.respond(message, "302 Moved Temporarily", contact=False, extra=contact)
        message = callee.receive(2)
    assert count <= 6
    assert "302" in callee.done()


def test_requests_of_the_dialog_go_by_the_route_that_was_recorded(ring):
    """3261 12.1.2: the Record-Route of the 200 in reverse order."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    near, far = (f"<sip:127.0.0.1:{callee.port};lr;hop={hop}>" for hop in ("near", "far"))
    callee.answer(invite, extra=f"Record-Route: {far}, {near}\r\n")
    ack = callee.wait_for("ACK")
    assert ", ".join(ack.all("Route")) == f"{near}, {far}"
    assert ack.start.split()[1] == callee.contact.strip("<>")
    callee.request(invite, "BYE")
    callee.done()


def test_a_strict_router_finds_itself_in_the_request_uri(ring):
    """3261 12.2.1.1: without lr the remote target goes last into Route."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    strict = f"sip:127.0.0.1:{callee.port}"
    callee.answer(invite, extra=f"Record-Route: <{strict}>\r\n")
    ack = callee.wait_for("ACK")
    assert ack.start.split()[1] == strict
    assert ", ".join(ack.all("Route")) == callee.contact
    callee.request(invite, "BYE")
    callee.done()


def test_a_reliable_180_gets_its_prack(ring):
    """3262 4: RAck names RSeq, number and method."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    assert "100rel" in ",".join(invite.all("Supported"))
    callee.respond(invite, "180 Ringing", extra="Require: 100rel\r\nRSeq: 4711\r\n")
    prack = callee.wait_for("PRACK")
    assert prack.one("RAck") == f"4711 {invite.one('CSeq')}"
    callee.respond(prack, "200 OK")
    callee.answer(invite)
    callee.wait_for("ACK")
    callee.request(invite, "BYE")
    assert callee.done().startswith("answered (200)")


def test_an_answer_that_fits_no_offer_ends_the_call(ring):
    """3264 6, 3261 13.2.2.4: acknowledged, then BYE."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    wrong = callee.rtp.description().replace("RTP/AVP 0 101", "RTP/AVP 96")
    callee.respond(invite, "200 OK", body=wrong)
    callee.wait_for("ACK")
    callee.respond(callee.wait_for("BYE"), "200 OK")
    assert not callee.done().startswith("answered (200): bye")


def test_a_hold_of_the_callee_is_answered(ring):
    """3264 8.4: sendonly gets recvonly; resumed it is sendrecv again."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    callee.answer(invite)
    callee.wait_for("ACK")
    for cseq, (offered, answered) in enumerate(
        (("sendonly", "recvonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv")), start=1
    ):
        body = callee.rtp.description() + f"a={offered}\r\n"
        held = callee.request(invite, "INVITE", cseq=cseq, body=body)
        assert held.status == 200
        assert f"a={answered}" in held.body
        callee.socket.sendto(ack_of(callee, invite, cseq), callee._source)
    assert callee.request(invite, "BYE", cseq=9).status == 200
    callee.done()


def ack_of(callee: Callee, invite, cseq: int) -> bytes:
    target = invite.one("Contact").split("<")[1].split(">")[0]
    return (
        f"ACK {target} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:{callee.port};branch=z9hG4bKack{cseq}\r\nMax-Forwards: 70\r\n"
        f"From: {invite.one('To')};tag=callee\r\nTo: {invite.one('From')}\r\n"
        f"Call-ID: {invite.one('Call-ID')}\r\nCSeq: {cseq} ACK\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def test_a_refer_of_the_callee_is_declined(ring):
    """3515 2.4.2: nobody sends our calls elsewhere."""
    callee = ring()
    invite = callee.wait_for("INVITE")
    callee.answer(invite)
    callee.wait_for("ACK")
    refer_to = "Refer-To: <sip:+19005551234@192.0.2.66>\r\n"
    assert callee.request(invite, "REFER", extra=refer_to).status == 603
    assert callee.request(invite, "BYE", cseq=2).status == 200
    callee.done()
