"""Calls of ours that SIPp takes: refused, challenged, redirected, held, refreshed and ended."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.scenarios import sipp_peer
from tests.interop.scenarios.dialling import REALM, Dialling
from tests.interop.scenarios.sipp_steps import (
    back,
    receive,
    remembered,
    response,
    sdp,
    send,
)  # fmt: skip
from tests.interop.server import free_ports
from tests.interop.sipp import needs_sipp

pytestmark = [pytest.mark.interop, needs_sipp]

CALLED = receive("INVITE", CSeq="1 INVITE")
RINGING = send(response("180 Ringing"))
TAKEN = [send(response("200 OK", body=sdp()), retransmitted=True), remembered()]
OVER = [send(back("BYE", 9), retransmitted=True), receive(200)]
CHALLENGE = '{}-Authenticate: Digest realm="' + REALM + '", nonce="{}", algorithm=MD5, qop="auth"\n'


@pytest.fixture
def take(folder: Path) -> Callable[..., str]:
    """Let SIPp take a call with these steps; it must be content. Returns what `dial` said."""

    def run(*steps: str | list[str], ring: float = 20) -> str:
        port = free_ports()
        local = ("-p", str(port))
        peer = sipp_peer.start(folder, "127.0.0.1", *steps, options=local)
        dialling = Dialling(folder, port, "--ring-timeout", str(ring))
        try:
            sipp_peer.judge(peer, folder)
            return dialling.done()
        finally:
            dialling.close()

    return run


def test_a_call_is_taken_and_hung_up(take):
    """3261 13.2, 15.1: INVITE with an offer, ACK to the Contact, 200 to BYE."""
    offered = receive("INVITE", Contact="<sip:", Content_Type="application/sdp", body="m=audio")
    assert take(offered, RINGING, TAKEN, OVER).startswith("answered (200)")


def test_who_calls_stands_where_a_trunk_looks_for_it(take):
    """3325 9.1: P-Asserted-Identity is a number of the trunk."""
    shown = receive("INVITE", P_Asserted_Identity="sip:[+]15550001111@", From="15550001111@")
    take(shown, RINGING, TAKEN, OVER)


def test_busy_is_said(take):
    """3261 21.4.24, 17.1.1.3: 486 is acknowledged within the transaction."""
    said = take(CALLED, send(response("486 Busy Here"), retransmitted=True), receive("ACK"))
    assert said.startswith("busy (486)")


def test_a_number_that_does_not_exist_is_said(take):
    """3261 21.4.5: the reason phrase of the peer does not matter."""
    said = take(CALLED, send(response("404 Nobody"), retransmitted=True), receive("ACK"))
    assert "(404)" in said


def test_a_status_that_nobody_knows_counts_as_its_hundred(take):
    """3261 8.1.3.2: 499 is treated as 400, and acknowledged."""
    said = take(CALLED, send(response("499 What"), retransmitted=True), receive("ACK"))
    assert "(499)" in said


def test_who_does_not_answer_is_cancelled(take):
    """3261 9.1: CANCEL after the ring time-out; the 487 gets its ACK."""
    said = take(
        CALLED, RINGING, receive("CANCEL", CSeq="1 CANCEL"),
        send(response("200 OK")),
        send(response("487 Request Terminated").replace("[last_CSeq:]", "CSeq: 1 INVITE")),
        receive("ACK", CSeq="1 ACK"), ring=1,
    )  # fmt: skip
    assert said.startswith("no answer")


@pytest.mark.parametrize(
    ("status", "asks", "answers"),
    [
        ("401 Unauthorized", "WWW", "Authorization"),
        ("407 Proxy Authentication Required", "Proxy", "Proxy-Authorization"),
    ],
)
def test_a_challenge_of_either_kind_is_answered(take, status, asks, answers):
    """3261 22.2, 22.3: the same Call-ID, the next CSeq, the right header."""
    right = {"CSeq": "2 INVITE", answers.replace("-", "_"): "Digest .*nc=00000001"}
    challenge = response(status, extra=CHALLENGE.format(asks, "one"))
    said = take(
        CALLED, send(challenge, retransmitted=True), receive("ACK"), receive("INVITE", **right),
        RINGING, TAKEN, OVER,
    )  # fmt: skip
    assert said.startswith("answered")


def test_a_stale_nonce_is_given_up_for_the_new_one(take):
    """7616 3.3, 3261 22.4: stale=true asks again, the password was right."""
    first = response("407 Who", extra=CHALLENGE.format("Proxy", "old"))
    second = response("407 Who", extra=CHALLENGE.format("Proxy", "new").strip() + ", stale=true\n")
    said = take(
        CALLED, send(first, retransmitted=True), receive("ACK"),
        receive("INVITE", Proxy_Authorization='nonce="old"'),
        send(second, retransmitted=True), receive("ACK"),
        receive("INVITE", CSeq="3 INVITE", Proxy_Authorization='nonce="new"'),
        RINGING, TAKEN, OVER,
    )  # fmt: skip
    assert said.startswith("answered")


def test_credentials_that_were_refused_are_not_sent_again(take):
    """3261 22.2: a second challenge without stale ends the attempt."""
    challenge = send(response("407 Who", extra=CHALLENGE.format("Proxy", "x")), retransmitted=True)
    said = take(CALLED, challenge, receive("ACK"), receive("INVITE"), challenge, receive("ACK"))
    assert "(407)" in said


def test_a_session_that_they_find_too_short_is_made_longer(take):
    """4028 7.3: after 422 the INVITE comes again with their Min-SE."""
    refusal = response("422 Session Interval Too Small", extra="Min-SE: 3600\n")
    said = take(
        CALLED, send(refusal, retransmitted=True), receive("ACK"),
        receive("INVITE", CSeq="2 INVITE", Min_SE="3600", Session_Expires="3600"),
        RINGING, TAKEN, OVER,
    )  # fmt: skip
    assert said.startswith("answered")


def test_early_media_may_come_before_the_answer(take):
    """3261 13.2.1, 3960 3.1: a 183 with SDP; the 200 repeats it."""
    early = send(response("183 Session Progress", body=sdp()))
    assert take(CALLED, early, TAKEN, OVER).startswith("answered")


def test_a_reliable_183_with_an_answer_gets_its_prack(take):
    """3262 4, 5: PRACK with RAck; the 200 needs no SDP any more."""
    early = response("183 Session Progress", extra="Require: 100rel\nRSeq: 7\n", body=sdp())
    # SIPp answers what it received last, which is the PRACK: the INVITE's Via was kept.
    accepted = response("200 OK").replace("[last_CSeq:]", "CSeq: 1 INVITE")
    accepted = accepted.replace("[last_Via:]", "Via:[$Via0]")
    said = take(
        receive("INVITE", Via=".*"),
        send(early, retransmitted=True),
        receive("PRACK", RAck="7 1 INVITE"),
        send(response("200 OK", tag=False)),
        send(accepted, retransmitted=True),
        remembered(),
        OVER,
    )
    assert said.startswith("answered")


def test_the_route_of_the_answer_is_the_way_of_the_ack(take):
    """3261 12.1.2, 12.2.1.1: Record-Route of the 200 becomes Route, the Contact the target."""
    recorded = "Record-Route: <sip:127.0.0.1:[local_port];lr;ob=last>\n"
    ok = send(response("200 OK", extra=recorded, body=sdp()), retransmitted=True)
    said = take(CALLED, RINGING, ok, remembered(Route="lr;ob=last"), OVER)
    assert said.startswith("answered")


def test_a_redirection_on_their_own_host_is_followed(take):
    """3261 8.1.3.4: the same Call-ID, the Contact as Request-URI."""
    moved = response("302 Moved Temporarily").replace("sip:desk@", "sip:sales@")
    moved = moved.replace(";transport=[transport]", "")
    said = take(
        CALLED, send(moved, retransmitted=True), receive("ACK"),
        receive("INVITE", start="INVITE sip:sales@127"), RINGING, TAKEN, OVER,
    )  # fmt: skip
    assert said.startswith("answered")


def changed_by_them(cseq: int, offer: str, **holds: str) -> list[str]:
    """Send a re-INVITE to us; its 200 holds so much."""
    return [
        send(back("INVITE", cseq, body=offer), retransmitted=True),
        receive(100, optional=True),
        receive(200, **holds),
        send(back("ACK", cseq)),
    ]


def test_they_hold_us_and_take_us_back(take):
    """3264 8.4: recvonly, then sendrecv."""
    held = changed_by_them(2, sdp(version=2, more="a=sendonly\n"), body="a=recvonly")
    back_again = changed_by_them(3, sdp(version=3), body="a=sendrecv")
    assert take(CALLED, RINGING, TAKEN, held, back_again, OVER).startswith("answered")


def test_they_move_to_another_port(take):
    """3264 8.3.1: answered, and ours stays."""
    moved = changed_by_them(2, sdp(version=2, port="40004"), body="m=audio [1-9]")
    assert take(CALLED, RINGING, TAKEN, moved, OVER).startswith("answered")


def test_they_ask_us_for_an_offer(take):
    """3264 5: a re-INVITE without SDP gets ours; the ACK answers."""
    asked = [
        send(back("INVITE", 2), retransmitted=True), receive(100, optional=True),
        receive(200, body="m=audio [1-9]"), send(back("ACK", 2, body=sdp(version=2))),
    ]  # fmt: skip
    assert take(CALLED, RINGING, TAKEN, asked, OVER).startswith("answered")


def test_they_send_a_fax(take):
    """3261 14.2: 488, and the call goes on."""
    fax = "v=0\no=sipp 1 2 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n"
    fax += "m=image 40010 udptl t38\n"
    refused = [
        send(back("INVITE", 2, body=fax, branch="fax"), retransmitted=True),
        receive(100, optional=True), receive(488), send(back("ACK", 2, branch="fax")),
    ]  # fmt: skip
    assert take(CALLED, RINGING, TAKEN, refused, OVER).startswith("answered")


def test_they_hold_by_update(take):
    """3311 5.2: an offer in UPDATE, the answer in its 200."""
    held = [send(back("UPDATE", 2, body=sdp(version=2, more="a=inactive\n"))),
            receive(200, body="a=inactive")]  # fmt: skip
    assert take(CALLED, RINGING, TAKEN, held, OVER).startswith("answered")


def test_they_ask_whether_we_are_there(take):
    """3261 11.2: OPTIONS within the call."""
    asked = [send(back("OPTIONS", 2)), receive(200, Allow="UPDATE")]
    assert take(CALLED, RINGING, TAKEN, asked, OVER).startswith("answered")


@pytest.mark.long
def test_we_refresh_by_update_where_they_can(take):
    """4028 7.4, 10: at half the interval."""
    timer = "Supported: timer\nRequire: timer\nSession-Expires: 90;refresher=uac\n"
    ok = response("200 OK", extra=timer + "Allow: INVITE, UPDATE, BYE\n", body=sdp())
    refresh = [receive("UPDATE", within=50, Session_Expires="90;refresher=uac"),
               send(response("200 OK", tag=False, extra=timer))]  # fmt: skip
    said = take(CALLED, RINGING, send(ok, retransmitted=True), remembered(), refresh, OVER)
    assert said.startswith("answered")


@pytest.mark.long
def test_we_refresh_by_invite_and_step_back_from_glare(take):
    """4028 7.4, 3261 14.1: 491 is tried again, two to four seconds later."""
    timer = "Supported: timer\nRequire: timer\nSession-Expires: 90;refresher=uac\n"
    ok = response("200 OK", extra=timer + "Allow: INVITE, BYE\n", body=sdp())
    glare = [receive("INVITE", within=50), send(response("491 Request Pending", tag=False)),
             receive("ACK")]  # fmt: skip
    refreshed = send(response("200 OK", tag=False, extra=timer, body=sdp()))
    refresh = [receive("INVITE", within=5, Session_Expires="90;refresher=uac"), refreshed,
               receive("ACK")]  # fmt: skip
    said = take(CALLED, RINGING, send(ok, retransmitted=True), remembered(), glare, refresh, OVER)
    assert said.startswith("answered")


@pytest.mark.long
def test_a_session_that_they_do_not_refresh_is_ended(take):
    """4028 10: BYE, a third of the interval before it runs out, or 32 seconds."""
    timer = "Supported: timer\nRequire: timer\nSession-Expires: 90;refresher=uas\n"
    ok = send(response("200 OK", extra=timer, body=sdp()), retransmitted=True)
    bye = [receive("BYE", within=70), send(response("200 OK", tag=False))]
    assert take(CALLED, RINGING, ok, remembered(), bye).startswith("answered")
