"""Calls of SIPp to a server: sessions made, changed, refreshed and ended."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.scenarios import sipp_peer
from tests.interop.scenarios.sipp_steps import (
    ack,
    again,
    answered,
    changed,
    ended,
    established,
    invite,
    receive,
    refused,
    request,
    ringing,
    sdp,
    send,
)  # fmt: skip
from tests.interop.server import Server
from tests.interop.sipp import needs_sipp

pytestmark = [pytest.mark.interop, needs_sipp]


@pytest.fixture
def play(server: Server, folder: Path) -> Callable[..., None]:
    """Let SIPp call with these steps; it must be content."""

    def run(*steps: str | list[str], transport: str = "UDP") -> None:
        remote = f"127.0.0.1:{server.port}"
        sipp_peer.judge(sipp_peer.start(folder, remote, *steps, transport=transport), folder)

    return run


def test_a_call_is_answered_and_hung_up(play):
    """3261 13.3, 15.1: with SDP, Contact and Allow in the 200."""
    play(established(Contact="sip:", Allow="INVITE", Content_Type="application/sdp"), ended())


def test_a_call_over_tcp_is_answered_over_tcp(play):
    """3261 18.2.2: by the connection that the request came by."""
    play(established(Contact="transport=tcp"), ended(), transport="TCP")


def test_hold_by_sendonly(play):
    """3264 8.4: the answer is recvonly, and sendrecv when the call is taken up again."""
    play(
        established(),
        changed(again(2, body=sdp(version=2, more="a=sendonly\n")), 2, body="a=recvonly"),
        changed(again(3, body=sdp(version=3, more="a=sendrecv\n")), 3, body="a=sendrecv"),
        ended(),
    )


def test_hold_by_inactive(play):
    """3264 8.4: inactive is answered by inactive."""
    play(
        established(),
        changed(again(2, body=sdp(version=2, more="a=inactive\n")), 2, body="a=inactive"),
        changed(again(3), 3, body="a=sendrecv"),
        ended(),
    )


def test_hold_by_the_address_of_old(play):
    """3264 8.4, 2543 B.5: c=0.0.0.0 is hold, and answered without it."""
    play(
        established(),
        changed(again(2, body=sdp(version=2, address="0.0.0.0")), 2, body="c=IN IP4 127"),
        changed(again(3), 3, body="a=sendrecv"),
        ended(),
    )


def test_hold_by_update(play):
    """3311 5.2: an offer in UPDATE is answered in its 200."""
    held = request("UPDATE", 2, body=sdp(version=2, more="a=sendonly\n"))
    play(established(), send(held), receive(200, body="a=recvonly"), ended())


def test_an_offerless_resume_gets_our_offer(play):
    """3264 5, 3261 14.1: the 200 of a re-INVITE without SDP offers, the ACK answers."""
    play(
        established(),
        changed(again(2, body=sdp(version=2, more="a=sendonly\n")), 2, body="a=recvonly"),
        send(again(3, body=""), retransmitted=True),
        receive(100, optional=True),
        receive(200, body="m=audio [1-9].*"),
        send(ack(3, body=sdp(version=3))),
        ended(),
    )


def test_a_new_port_and_address_are_answered(play):
    """3264 8.3: and our own stay, with a version that is right."""
    moved = sdp(version=2, address="127.0.0.3", port="40004")
    play(established(), changed(again(2, body=moved), 2, body="o=[^ ]+ [0-9]+ [0-9]+"), ended())


def test_another_codec_is_answered_by_that_codec(play):
    """3264 8.3.2: PCMU gives way to PCMA."""
    play(
        established(body="RTP/AVP 0"),
        changed(again(2, body=sdp(version=2, formats="8")), 2, body="RTP/AVP 8"),
        ended(),
    )


def test_a_fax_is_refused_and_the_audio_goes_on(play):
    """3264 8.3, 3261 14.2: a T.38 re-INVITE gets 488; the session stays as it was."""
    fax = "v=0\no=sipp 1 2 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n"
    fax += "m=image 40010 udptl t38\na=T38FaxVersion:0\n"
    reinvite = again(2, body=fax)
    refusal = ack(2, branch="INVITE2")
    play(
        established(), send(reinvite), receive(100, optional=True), receive(488, Warning="30[0-9]"),
        send(refusal), changed(again(3), 3, body="m=audio [1-9]"), ended(),
    )  # fmt: skip


def test_video_beside_the_audio_gets_port_0(play):
    """3264 6: each m= line is answered, in its place; what is not wanted by port 0."""
    both = sdp(more="m=video 40020 RTP/AVP 96\na=rtpmap:96 H264/90000\n")
    play(established(invite(body=both), body="m=video 0 RTP/AVP 96"), ended())


def test_a_reinvite_while_our_offer_is_open_is_put_off(play):
    """3261 14.2, 3264 4: two offers at once: 491, or 500 with Retry-After."""
    play(
        established(),
        send(again(2, body="")),
        receive(100, optional=True),
        receive(200, body="m=audio"),
        send(again(3)),
        receive(100, optional=True),
        receive(491),
        send(ack(3, branch="INVITE3")),
        send(ack(2, body=sdp(version=2))),
        ended(),
    )


def test_an_offer_in_prack_is_answered(play):
    """3262 5: in the 200 of the PRACK, once the INVITE's own offer is."""
    play(
        send(invite(extra="Require: 100rel\n")),
        receive(100, optional=True),
        receive(180, RSeq="[0-9]+"),
        receive(200, body="RTP/AVP 0"),
        send(request("PRACK", 2, extra="RAck:[$RSeq0] 1 INVITE\n", body=sdp(formats="8"))),
        receive(200, CSeq="2 PRACK", body="RTP/AVP 8"),
        send(ack(1)),
        ended(),
    )


def test_a_prack_of_nothing_gets_481(play):
    """3262 3: no response of that RAck waits."""
    play(
        established(),
        send(request("PRACK", 2, extra="RAck: 77 1 INVITE\n")),
        receive(481),
        ended(),
    )


def test_a_short_session_is_made_longer(play):
    """4028 6, 9: 422 with Min-SE, and then 200 with the interval that was agreed."""
    timer = "Supported: timer\nSession-Expires: {}\n"
    play(
        send(invite(extra=timer.format(60))),
        receive(100, optional=True),
        refused(422, Min_SE="90"),
        send(invite(2, extra=timer.format(90)).replace("[peer_tag_param]", "")),
        ringing(),
        answered(2, Session_Expires="90;refresher="),
        ended(),
    )


def test_a_session_is_refreshed_by_update(play):
    """4028 7.4, 9: the 200 repeats Session-Expires."""
    timer = "Supported: timer\nSession-Expires: 90;refresher=uac\n"
    play(
        established(invite(extra=timer), Session_Expires="90;refresher=uac"),
        send(request("UPDATE", 2, extra=timer)),
        receive(200, Session_Expires="90;refresher=uac"),
        ended(),
    )


def test_a_session_is_refreshed_by_invite(play):
    """4028 7.4, 9: a re-INVITE with the same SDP is answered with ours as it was."""
    timer = "Supported: timer\nSession-Expires: 90;refresher=uac\n"
    play(
        established(invite(extra=timer)),
        changed(again(2, body=sdp(), extra=timer), 2, Session_Expires="90;refresher=uac"),
        ended(),
    )


def test_an_update_that_is_too_short_gets_422(play):
    """4028 9: within the call too."""
    timer = "Supported: timer\nSession-Expires: 30\n"
    play(established(), send(request("UPDATE", 2, extra=timer)), receive(422, Min_SE="90"), ended())


def test_a_key_by_info_in_both_forms(play):
    """6086 annex, 2976: application/dtmf-relay and application/dtmf are taken."""
    relay = request("INFO", 2, body="Signal=5\nDuration=160\n", kind="application/dtmf-relay")
    plain = request("INFO", 3, body="5\n", kind="application/dtmf")
    play(established(), send(relay), receive(200), send(plain), receive(200), ended())


def test_an_info_package_that_nobody_knows_gets_469(play):
    """6086 4.2.2: Recv-Info says that we take none."""
    info = request("INFO", 2, extra="Info-Package: weather\n", body="x\n", kind="text/plain")
    play(established(), send(info), receive(469), ended())


def test_options_within_a_call_is_answered_and_the_call_goes_on(play):
    """3261 11.2, 12.2.2: it changes nothing."""
    play(established(), send(request("OPTIONS", 2)), receive(200, Allow="INVITE"), ended())


def test_a_notify_of_no_subscription_gets_481(play):
    """6665 4.1.3: nobody waits for it."""
    extra = "Event: presence\nSubscription-State: active\n"
    play(established(), send(request("NOTIFY", 2, extra=extra)), receive(481), ended())


def test_a_refer_from_the_caller_is_declined(play):
    """3515 2.4.2: deny is the policy: where we are sent to is not for a caller to say."""
    extra = "Refer-To: <sip:premium@192.0.2.66>\n"
    play(established(), send(request("REFER", 2, extra=extra)), receive(603), ended())


def test_a_bye_of_another_dialog_gets_481_and_the_call_goes_on(play):
    """3261 12.2.2: Call-ID alone makes no dialog."""
    stray = request("BYE", 2).replace(";tag=[pid]\n", ";tag=stray\n")
    play(established(), send(stray), receive(481), changed(again(3), 3), ended())


def test_an_unknown_number_gets_404(play):
    """3261 8.2.2.1: nobody of that name is here."""
    nobody = "sip:+15559999999@[remote_ip]:[remote_port]"
    play(send(invite(uri=nobody)), receive(100, optional=True), refused(404, uri=nobody))


def test_an_encoding_that_nobody_knows_gets_415(play):
    """3261 8.2.3: Accept-Encoding says what would do."""
    play(
        send(invite(extra="Content-Encoding: gzip\n")),
        receive(100, optional=True),
        refused(415, Accept_Encoding="identity"),
    )


def test_the_route_that_was_recorded_comes_back(play):
    """3261 12.1.1: Record-Route stands in the 200 as it came."""
    recorded = "Record-Route: <sip:127.0.0.1:[local_port];lr;ob=a1>\n"
    play(established(invite(extra=recorded), Record_Route="lr;ob=a1"), ended())


def test_sdp_within_multipart_is_found(play):
    """5621 3.2, 2046 5.1: and what stands beside it harms nothing."""
    parts = "--edge\nContent-Type: application/sdp\n\n" + sdp()
    parts += "\n--edge\nContent-Type: application/vnd.x\nContent-Disposition: x;"
    parts += "handling=optional\n\nmore\n--edge--\n"
    mixed = invite(body=parts, kind="multipart/mixed;boundary=edge")
    play(established(mixed, body="m=audio [1-9]"), ended())


def test_headers_in_any_case_and_with_spaces_are_read(play):
    """3261 7.3.1: names do not mind their case, nor spaces around the colon."""
    text = invite().replace("Contact: ", "cONTACT  :  ").replace("CSeq: 1 ", "CSEQ :  1   ")
    play(established(text), ended())


def test_a_call_of_replaces_is_not_taken(play):
    """3891 3: no dialog of that name gets 481; we take none over for strangers."""
    extra = "Require: replaces\nReplaces: a@b;to-tag=1;from-tag=2\n"
    play(send(invite(extra=extra)), receive(100, optional=True), refused(420))
