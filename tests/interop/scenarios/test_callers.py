"""A caller's INVITE and its end, as RFC 3261 has them and as lines and careless peers make them."""

import time

import pytest

from tests.interop.raw_peer import Message, RawPeer

pytestmark = pytest.mark.interop

COMPACT = {
    "Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Contact": "m", "Content-Type": "c",
    "Content-Length": "l",
}  # fmt: skip
QUIET = 1.2  # seconds: T1 and twice T1 are over by then


def invite(peer: RawPeer, *, branch: str = "first", extra: str = "", body: str | None = None,
           kind: str = "application/sdp") -> str:  # fmt: skip
    """Compose an INVITE whose parts can be told apart later."""
    offer = peer.rtp.description() if body is None else body
    return peer.request("INVITE", branch=branch, extra=extra, body=offer, kind=kind)


def establish(peer: RawPeer, answer: Message) -> None:
    """Take the dialog from a 200, and acknowledge it."""
    peer.to = answer.one("To")
    peer.target = answer.one("Contact").split("<")[1].split(">")[0]
    peer.send(peer.request("ACK"))


def final(peer: RawPeer, text: str) -> Message:
    """Send a request, and return its final response."""
    peer.send(text)
    while (answer := peer.receive()) is not None and answer.status < 200:
        pass
    assert answer is not None, f"no final response to {text.partition(chr(13))[0]}"
    return answer


def refused(peer: RawPeer, text: str) -> Message:
    """Send an INVITE that is refused, acknowledge, and return the response."""
    answer = final(peer, text)
    branch = text.partition("branch=z9hG4bK")[2].partition(";")[0]
    uri = text.split()[1]
    peer.send(peer.request("ACK", uri=uri, to=answer.one("To"), branch=branch))
    assert answer.one("To").partition("tag=")[2], "a final response names its To with a tag"
    return answer


def test_a_lost_ack_brings_the_200_again_until_there_is_one(call):
    """3261 13.3.1.4: the 2xx is sent again at T1, then doubling, until the ACK."""
    peer = call()
    first = final(peer, invite(peer))
    began = time.monotonic()
    again = [peer.wait_for(200, 3) for _ in range(2)]
    assert 0.9 < time.monotonic() - began < 2.5
    assert {response.one("To") for response in again} == {first.one("To")}
    establish(peer, first)
    assert peer.receive(QUIET) is None
    peer.bye()


def test_a_lost_200_is_sent_again_to_the_invite_that_comes_again(call):
    """3261 17.2.1, 13.3.1.4: a retransmitted INVITE starts no second call."""
    peer = call()
    text = invite(peer)
    first = final(peer, text)
    peer.send(text)
    assert peer.wait_for(200, 2).one("To") == first.one("To")
    establish(peer, first)
    peer.bye()
    assert peer.receive(QUIET) is None


def test_an_ack_of_another_cseq_acknowledges_nothing(call):
    """3261 17.1.1.3, 13.3.1.4: the ACK has the number of its INVITE."""
    peer = call()
    first = final(peer, invite(peer))
    peer.to, peer.target = first.one("To"), first.one("Contact").split("<")[1].split(">")[0]
    peer.send(peer.request("ACK", cseq=peer.cseq + 5))
    assert peer.wait_for(200, 2).one("CSeq") == f"{peer.cseq} INVITE"
    peer.send(peer.request("ACK"))
    peer.bye()


def test_a_late_cancel_is_answered_and_changes_nothing(call):
    """3261 9.2: a CANCEL has no effect on an INVITE that has had its final response."""
    peer = call()
    answer = final(peer, invite(peer, branch="late"))
    establish(peer, answer)
    to, peer.to = peer.to, f"<sip:echo@127.0.0.1:{peer.server[1]}>"
    uri = f"sip:echo@127.0.0.1:{peer.server[1]}"
    cancelled = final(peer, peer.request("CANCEL", uri=uri, branch="late"))
    assert cancelled.status in (200, 481)
    peer.to = to
    peer.rtp.wait_for(bool, 3)
    assert peer.bye().status == 200


def test_a_cancel_of_nothing_gets_481(call):
    """3261 9.2: no INVITE matches."""
    peer = call()
    assert final(peer, peer.request("CANCEL")).status == 481


def test_a_bye_out_of_nowhere_gets_481(call):
    """3261 15.1.2: no dialog matches."""
    peer = call()
    assert final(peer, peer.request("BYE", to=f"{peer.to};tag=never")).status == 481


def test_a_request_that_is_older_than_the_last_gets_500(call):
    """3261 12.2.2: a CSeq below that of the dialog is out of order."""
    peer = call()
    peer.cseq = 50
    peer.invite("echo")
    assert final(peer, peer.request("INFO", cseq=20)).status == 500
    peer.bye()


def test_a_bye_ends_a_reinvite_that_was_never_acknowledged(call):
    """3261 15.1.2: after BYE the 200 of the re-INVITE is sent no more."""
    peer = call()
    peer.invite("echo")
    peer.cseq += 1
    assert final(peer, invite(peer, branch="again")).status == 200
    peer.bye()
    assert peer.receive(QUIET) is None


def test_a_merged_request_gets_482(call):
    """3261 8.2.2.2: the same request by two ways is one call."""
    peer = call()
    peer.send(invite(peer, branch="one"))
    peer.send(invite(peer, branch="two"))
    seen = [peer.receive() for _ in range(4)]
    assert sorted({m.status for m in seen if m}) == [100, 180, 200, 482]
    establish(peer, next(m for m in seen if m and m.status == 200))
    peer.bye()


def test_an_invite_without_offer_gets_ours_and_the_ack_answers_it(call):
    """3264 5, 3261 13.2.1: offer in the 200, answer in the ACK."""
    peer = call()
    answer = final(peer, invite(peer, body=""))
    assert "m=audio" in answer.body
    peer.to = answer.one("To")
    peer.target = answer.one("Contact").split("<")[1].split(">")[0]
    peer.send(peer.request("ACK", body=peer.rtp.description()))
    peer.rtp.talk_to(answer.body)
    peer.rtp.wait_for(bool, 3)
    peer.bye()


def test_compact_names_are_names(call):
    """3261 7.3.3: v, f, t, i, m, c and l are Via, From, To and so on."""
    peer = call()
    text = invite(peer)
    for long, short in COMPACT.items():
        text = text.replace(f"\r\n{long}:", f"\r\n{short}:")
    answer = final(peer, text)
    assert answer.status == 200
    long = {short: long for long, short in COMPACT.items()}
    answer.headers = [(long.get(name, name), value) for name, value in answer.headers]
    establish(peer, answer)
    peer.bye()


def test_a_tel_uri_is_a_number(call):
    """3966 3, 3261 19.1.6: separators and parameters do not count."""
    peer = call()
    uri = "tel:+1-555-333-4444;phone-context=example.com"
    answer = final(peer, peer.request("INVITE", uri=uri, body=peer.rtp.description()))
    assert answer.status == 200
    establish(peer, answer)
    peer.bye()


def test_an_unknown_scheme_gets_416(call):
    """3261 8.2.2.1: a Request-URI of a scheme that nobody reads."""
    peer = call()
    text = peer.request("INVITE", uri="soap:echo@127.0.0.1", body=peer.rtp.description())
    assert refused(peer, text).status == 416


def test_an_extension_that_is_not_known_gets_420(call):
    """3261 8.2.2.3: the response lists it in Unsupported."""
    peer = call()
    answer = refused(peer, invite(peer, extra="Require: antigravity\r\n"))
    assert (answer.status, answer.one("Unsupported")) == (420, "antigravity")


def test_a_body_of_another_kind_gets_415(call):
    """3261 8.2.3: the response says in Accept what would do."""
    peer = call()
    answer = refused(peer, invite(peer, body="hello", kind="text/plain"))
    assert answer.status == 415
    assert "application/sdp" in answer.one("Accept")


def test_no_common_codec_gets_488_with_the_reason(call):
    """3264 6, 3261 21.4.26: the Warning says why."""
    peer = call()
    body = peer.rtp.description().replace("RTP/AVP 0 101", "RTP/AVP 18")
    body = body.replace("a=rtpmap:0 PCMU/8000", "a=rtpmap:18 G729/8000")
    answer = refused(peer, invite(peer, body=body))
    assert answer.status == 488
    assert "305" in answer.one("Warning") or "304" in answer.one("Warning")


def test_a_session_that_is_too_short_gets_422(call):
    """4028 6: Min-SE says how short it may be."""
    peer = call()
    answer = refused(peer, invite(peer, extra="Supported: timer\r\nSession-Expires: 60\r\n"))
    assert (answer.status, answer.one("Min-SE")) == (422, "90")


def test_options_tells_what_can_be_done(call):
    """3261 11.2: Allow, Accept and Supported."""
    peer = call()
    answer = final(peer, peer.request("OPTIONS"))
    assert answer.status == 200
    allowed = {method.strip() for method in answer.one("Allow").split(",")}
    assert {"INVITE", "ACK", "BYE", "CANCEL"} <= allowed
    assert answer.all("Accept")
    assert answer.all("Supported")


def test_a_method_that_nobody_knows_gets_501_or_405_with_allow(call):
    """3261 8.2.1: and Allow says what would do."""
    peer = call()
    answer = final(peer, peer.request("JUGGLE"))
    assert answer.status in (405, 501)
    assert "INVITE" in answer.one("Allow")


def test_a_reliable_180_waits_for_its_prack(call):
    """3262 3: Require: 100rel makes the 180 reliable; PRACK stops it; then comes the 200."""
    peer = call()
    peer.send(invite(peer, extra="Require: 100rel\r\n"))
    ringing = peer.wait_for(180)
    assert "100rel" in ringing.one("Require")
    rseq = ringing.one("RSeq")
    peer.to = ringing.one("To")
    peer.target = ringing.one("Contact").split("<")[1].split(">")[0]
    acknowledged, peer.cseq = peer.cseq, peer.cseq + 1
    extra = f"RAck: {rseq} {acknowledged} INVITE\r\n"
    peer.send(peer.request("PRACK", extra=extra))
    seen = {peer.wait_for(200).one("CSeq").split()[1] for _ in range(2)}
    assert seen == {"PRACK", "INVITE"}
    peer.send(peer.request("ACK", cseq=acknowledged))
    peer.bye()


def test_an_update_without_offer_refreshes(call):
    """3311 5.2, 4028 9: 200, no SDP."""
    peer = call()
    peer.invite("echo")
    peer.cseq += 1
    answer = final(peer, peer.request("UPDATE"))
    assert (answer.status, answer.body) == (200, "")
    peer.bye()


# ---- streams


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
def test_one_octet_at_a_time_over_tcp_and_tls(call, transport):
    """3261 18.3: Content-Length alone ends a message."""
    peer = call(transport)
    for octet in peer.request("OPTIONS").encode():
        peer.socket.sendall(bytes([octet]))
    assert peer.wait_for(200).one("CSeq") == "1 OPTIONS"


def test_two_messages_in_one_segment(call):
    """3261 18.3: each is answered."""
    peer = call("TCP")
    one = peer.request("OPTIONS", cseq=1)
    two = peer.request("OPTIONS", cseq=2)
    peer.socket.sendall((one + two).encode())
    assert {peer.wait_for(200).one("CSeq") for _ in range(2)} == {"1 OPTIONS", "2 OPTIONS"}


def test_keep_alives_between_messages_get_their_pong(call):
    """5626 3.5.1: a double CRLF is answered by one."""
    peer = call("TCP")
    peer.socket.sendall(b"\r\n\r\n")
    peer.socket.settimeout(3)
    assert peer.socket.recv(16) == b"\r\n"
    peer.socket.sendall(b"\r\n\r\n" + peer.request("OPTIONS").encode())
    heard = b""
    while b"200 OK" not in heard:
        heard += peer.socket.recv(4096)
    assert heard.startswith(b"\r\n")
