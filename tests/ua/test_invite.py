from opensip.sip.message import parse_message
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.invite import make_invite


def test_headers_of_the_uri_stay_out_of_the_request_line():
    invite = make_invite(
        Uri.parse("sip:bob@example.com;user=phone?X-A=1"),
        NameAddr.parse("<sip:alice@example.com>;tag=a"),
        call_id="one",
        contact="<sip:127.0.0.1:5060>",
        user_agent="test",
        headers=[("X-Opensip-Intent", "billing")],
        body=b"v=0",
    )
    assert str(invite.uri) == "sip:bob@example.com;user=phone"
    again = parse_message(invite.to_bytes())
    assert again.body == b"v=0"
    assert again.to.tag is None
    assert again.headers.get("X-Opensip-Intent") == "billing"
    assert again.cseq.number == 1
