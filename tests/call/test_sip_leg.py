import asyncio

import pytest

from opensip.call.handoff import TOTAL
from opensip.call.leg import LegEnded
from opensip.call.sip_leg import UDP_ROOM, SipLeg
from opensip.events import MediaTimedOut
from opensip.sip.flow import Flow
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.invite_session import SessionEnded
from tests.fakes.legs import FakeSink, FakeSource, Noted
from tests.fakes.virtual_time_loop import VirtualTimeLoop


class FakeDialog:
    local = NameAddr.parse("<sip:+15553334444@sip.us.opensip.example>;tag=1")
    remote_target = Uri.parse("sip:+15551112222@192.0.2.10:5061;transport=tls")


class FakeSession:
    """A session that ends when told; its BYE is answered after `bye_takes` seconds."""

    dialog = FakeDialog()
    peer_allows = frozenset({"INVITE", "REFER"})

    def __init__(self, transport="TLS", bye_takes=0.1):
        self.flow = Flow(transport, ("192.0.2.1", 5061), ("192.0.2.10", 5061))
        self.on_info = None
        self.is_established = True
        self.byes = 0
        self._bye_takes = bye_takes
        self._ended = asyncio.get_running_loop().create_future()

    def end(self, by="remote", cause="BYE"):
        self.is_established = False
        self._ended.set_result(SessionEnded(by, cause, None, None))

    async def wait_ended(self):
        return await asyncio.shield(self._ended)

    async def bye(self):
        self.byes += 1
        self.is_established = False
        await asyncio.sleep(self._bye_takes)


class FakeMedia:
    """Media that fall silent after `silent_after` seconds."""

    def __init__(self, silent_after=1e9):
        self.source, self.sink = FakeSource(), FakeSink()
        self.on_dtmf = None
        self.closed_at = None
        self._silent_after = silent_after

    async def wait_timed_out(self):
        await asyncio.sleep(self._silent_after)
        return MediaTimedOut(self._silent_after, "silence", 15.0)

    async def close(self):
        self.closed_at = asyncio.get_running_loop().time()


def leg_of(session, media, noted=None):
    now = asyncio.get_running_loop().time
    return SipLeg(session, media, observer=noted or Noted(), now=now)


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


@pytest.mark.parametrize(("by", "side"), [("remote", "caller"), ("local", "us"), ("lost", "lost")])
def test_who_ended_it(by, side):
    async def main():
        session = FakeSession()
        leg = leg_of(session, FakeMedia())
        asyncio.get_running_loop().call_later(3, session.end, by)
        return await leg.wait_ended()

    assert run(main()) == LegEnded(side, "BYE")


def test_a_leg_without_rtp_is_lost():
    async def main():
        return await leg_of(FakeSession(), FakeMedia(silent_after=20)).wait_ended()

    assert run(main()) == LegEnded("lost", "no RTP for 15 s (silence)")


def test_closing_hangs_up_and_frees_the_media_at_once():
    async def main():
        session, media = FakeSession(bye_takes=32.0), FakeMedia()
        await leg_of(session, media).close()
        assert session.byes == 1
        assert media.closed_at == 0.0
        assert asyncio.get_running_loop().time() == 2.0

    run(main())


def test_closing_what_has_ended_sends_nothing():
    async def main():
        session, media = FakeSession(), FakeMedia()
        session.end()
        await leg_of(session, media).close()
        assert session.byes == 0
        assert media.closed_at == 0.0

    run(main())


def test_what_a_transfer_needs_to_know():
    async def main():
        leg = leg_of(FakeSession(), FakeMedia())
        assert leg.referred_by == "sip:+15553334444@sip.us.opensip.example"
        assert leg.host == "192.0.2.10:5061"
        assert leg.room == TOTAL
        assert "REFER" in leg.peer_allows
        assert leg_of(FakeSession("UDP"), FakeMedia()).room == UDP_ROOM

    run(main())


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", [("5", 160)]),
        ("application/dtmf-relay", b"Signal= *\r\nDuration= 250\r\n", [("*", 250)]),
        ("Application/DTMF-Relay;x=1", b"signal=#", [("#", 0)]),
        ("application/dtmf", b"9\r\n", [("9", 0)]),
        ("application/dtmf-relay", b"Signal=16", []),
        ("application/dtmf-relay", b"\xff\x00", []),
        ("application/dtmf", b"", []),
    ],
)
def test_digits_in_info(content_type, body, expected):
    async def main():
        session, noted, digits = FakeSession(), Noted(), []
        leg = leg_of(session, FakeMedia(), noted)
        leg.on_digit = digits.append
        session.on_info(content_type, body)
        assert digits == [digit for digit, _ in expected]
        assert [(e.digit, e.duration_ms) for e in noted.events] == expected

    run(main())
