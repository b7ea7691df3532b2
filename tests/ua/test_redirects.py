"""Redirections of our INVITE: RFC 3261 section 8.1.3.4."""

import pytest

from opensip.sip.headers import Headers
from opensip.sip.message import Response
from opensip.sip.uri import Uri
from opensip.ua.call_failed import CallFailed
from opensip.ua.redirects import MAX_REDIRECTS, Redirects
from tests.fakes.scene import scene
from tests.fakes.sip_exchange import make_request


def moved(*contacts, status=302):
    return Response(status, "Moved", Headers([("Contact", value) for value in contacts]))


def target(*contacts, uri="sip:a@own.example", status=302, may_follow=lambda uri: True):
    invite = make_request(uri=uri)
    return Redirects(may_follow).next_target(
        invite, moved(*contacts, status=status), lambda host: host == "192.0.2.7"
    )


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        (["<sip:b@own.example>"], "sip:b@own.example"),
        (["<sip:b@OWN.example:5070>"], "sip:b@OWN.example:5070"),
        (["<sip:b@192.0.2.7>"], "sip:b@192.0.2.7"),
        (["<sip:b@elsewhere.example>"], None),
        (["<sip:a@own.example>"], None),
        (["<tel:+1555>", "<sip:", "*", "<sip:c@own.example>;q=x"], None),
        (["<sip:b@own.example>;q=0.1, <sip:c@own.example>;q=0.9"], "sip:c@own.example"),
        (["<sip:b@own.example?Route=%3Csip:x%3E>"], "sip:b@own.example"),
        ([], None),
    ],
)
def test_only_the_own_hosts_are_followed(contacts, expected):
    found = target(*contacts)
    assert (str(found) if found else None) == expected


def test_not_every_redirection_and_not_without_leave():
    assert target("<sip:b@own.example>", status=305) is None
    assert target("<sip:b@own.example>", status=380) is None
    assert target("<sip:b@own.example>", may_follow=None) is None
    assert target("<sip:911@own.example>", may_follow=lambda uri: uri.user != "911") is None
    assert target("<sip:b@own.example>", uri="sips:a@own.example") is None
    assert target("<sips:b@own.example>", uri="sips:a@own.example") is not None


def test_a_chain_ends():
    redirects, uri, hops = Redirects(lambda uri: True), Uri.parse("sip:0@own.example"), 0
    while uri is not None:
        invite = make_request(uri=str(uri))
        hops += 1
        response = moved(f"<sip:{hops}@own.example>")
        uri = redirects.next_target(invite, response, lambda host: False)
    assert hops == MAX_REDIRECTS + 1


def test_a_redirected_call_goes_on_under_its_call_id():
    async def check(it):
        call, invite = await it.dial(may_follow=lambda uri: True)
        there = f"<sip:desk@{it.peer.where}>"
        it.answer(invite, 302, contact=False, Contact=there)
        assert (await it.peer.get()).method == "ACK"
        again = await it.peer.get()
        assert str(again.uri) == f"sip:desk@{it.peer.where}"
        assert (again.call_id, again.cseq.number) == (invite.call_id, 2)
        assert again.from_.tag == invite.from_.tag
        it.answer(again, 200, body=b"answer")
        assert (await it.peer.get()).method == "ACK"
        await call.wait_answered()

    scene(check)


def test_a_loop_of_redirections_ends_with_the_last_of_them():
    async def check(it):
        call, invite = await it.dial(may_follow=lambda uri: True)
        for user in ("desk", "peer"):
            it.answer(invite, 302, contact=False, Contact=f"<sip:{user}@{it.peer.where}>")
            assert (await it.peer.get()).method == "ACK"
            if user == "desk":
                invite = await it.peer.get()
        with pytest.raises(CallFailed, match="302"):
            await call.wait_answered()
        await it.peer.silence()

    scene(check)


def test_who_cannot_be_reached_where_the_call_was_sent():
    async def check(it):
        call, invite = await it.dial(may_follow=lambda uri: True)
        it.us.core._transport.unreachable.add(it.peer.address)
        it.answer(invite, 302, contact=False, Contact=f"<sip:desk@{it.peer.where}>")
        assert (await it.peer.get()).method == "ACK"
        with pytest.raises(CallFailed, match="503"):
            await call.wait_answered()

    scene(check)
