import asyncio

import pytest

from opensip.call.handoff import TOTAL
from opensip.call.leg import LegEnded
from opensip.call.sip_leg import UDP_ROOM, SipLeg
from opensip.events import Dtmf, MediaTimedOut
from opensip.sip.flow import Flow
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.invite_session import SessionEnded
from tests.fakes.legs import FakeLeg, FakeSink, FakeSource, Noted
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
        self.infos = []
        self._bye_takes = bye_takes
        self._ended = asyncio.get_running_loop().create_future()

    def end(self, by="remote", cause="BYE"):
        self.is_established = False
        self._ended.set_result(SessionEnded(by, cause, None, None))

    async def info(self, content_type, body):
        self.infos.append((content_type, body))
        return 200

    async def wait_ended(self):
        return await asyncio.shield(self._ended)

    async def reinvite(self, *, vital): ...

    async def bye(self):
        self.byes += 1
        self.is_established = False
        await asyncio.sleep(self._bye_takes)


class FakeMedia:
    """Media that fall silent after `silent_after` seconds, or break after `broken_after`."""

    def __init__(self, silent_after=1e9, broken_after=1e9):
        self.source, self.sink = FakeSource(), FakeSink()
        self.on_dtmf = self.on_held = None
        self.is_held = False
        self.excused = []
        self.closed_at = None
        self.takes_events, self.sent, self.told = True, [], []
        self.ways = {}
        self._silent_after, self._broken_after = silent_after, broken_after

    async def send_digits(self, digits):
        self.sent.append(digits)

    def take_info(self, *told):
        self.told.append(told)

    def ways_of(self, dtmf):
        return self.ways.get(dtmf.digit, {dtmf.way})

    async def wait_timed_out(self):
        await asyncio.sleep(self._silent_after)
        return MediaTimedOut(self._silent_after, "silence", 15.0)

    async def wait_broken(self):
        await asyncio.sleep(self._broken_after)
        return "KeyError(0)"

    def excuse_silence(self, excused):
        self.excused.append(excused)

    async def close(self):
        self.closed_at = asyncio.get_running_loop().time()


class FakeEngine:
    """An engine that joins whatever it is given."""

    def __init__(self):
        self.connected = []

    def now(self):
        return 1.0

    def connect(self, one, other, *, keys):
        self.connected = [one, other, keys]
        return True

    def disconnect(self, stream):
        self.connected = []


class JoinableMedia(FakeMedia):
    def __init__(self, engine):
        super().__init__()
        self.engine, self.observer = engine, Noted()
        self.stream = self
        self.negotiated = None
        self.on_agreed = lambda: None

    def relay_to(self, sink, *, aside=False):
        self.aside = aside


def test_two_legs_of_sip_are_joined_by_their_media():
    async def main():
        engine = FakeEngine()
        one, two = JoinableMedia(engine), JoinableMedia(engine)
        caller, target = leg_of(FakeSession(), one), leg_of(FakeSession(), two, dtmf="info")
        keyed = []
        caller.on_digit = target.on_digit = keyed.append
        assert not caller.join(FakeLeg())
        assert caller.join(target)
        assert engine.connected == [one, two, (False, True)]
        assert (one.aside, two.aside) == (True, True)
        for media, digits in ((one, "12"), (two, "34")):
            media.on_dtmf(Dtmf(0.0, digits[0], 100, "rfc4733"))
            media.on_dtmf(Dtmf(0.0, digits[1], 100, "inband"))
        one.on_dtmf(Dtmf(0.0, "5", 100, "info"))
        assert keyed == ["1", "5"]  # the engine takes the others along
        await check_infos(two, keyed)
        caller.part()
        caller.part()
        assert engine.connected == []
        two.on_dtmf(Dtmf(0.0, "6", 100, "rfc4733"))
        assert keyed[-1] == "6"
        await asyncio.sleep(0.5)
        assert keyed[-1] == "6"  # what was pressed for the other is for nobody else
        assert caller.join(target)
        assert target.join(caller)
        caller.part()
        assert not engine.connected

    run(main())


async def check_infos(media, keyed):
    """INFO beside what the engine hands on: a press goes on once, by whichever way it came."""
    for digit in "78":
        media.on_dtmf(Dtmf(0.0, digit, 100, "info"))
    media.ways["7"] = {"info", "rfc4733"}  # its event came later, and is the engine's
    assert keyed == ["1", "5"]
    await asyncio.sleep(0.5)
    assert keyed == ["1", "5", "8"]
    media.on_dtmf(Dtmf(0.0, "9", 100, "info"))


def leg_of(session, media, **options):
    return SipLeg(session, media, **options)


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


def test_a_leg_whose_stream_failed_is_lost():
    async def main():
        return await leg_of(FakeSession(), FakeMedia(broken_after=2)).wait_ended()

    assert run(main()) == LegEnded("lost", "media failed: KeyError(0)")


def test_hold_and_excuses_go_their_way():
    async def main():
        media, held = FakeMedia(), []
        leg = leg_of(FakeSession(), media)
        media.on_held(True)  # nobody wants to know yet
        leg.on_held = held.append
        media.on_held(False)
        leg.excuse_silence(True)
        media.is_held = True
        assert (held, media.excused, leg.is_held) == ([False], [True], True)

    run(main())


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


def test_digits_in_info_go_to_the_media_which_know_of_the_other_ways():
    async def main():
        session, media, digits = FakeSession(), FakeMedia(), []
        leg = leg_of(session, media)
        leg.on_digit = digits.append
        session.on_info("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n")
        session.on_info("application/dtmf", b"#")
        session.on_info("application/dtmf", b"no digit")
        assert media.told == [("5", 160), ("#", 0)]
        media.on_dtmf(Dtmf(1.0, "5", 160, "info"))
        assert digits == ["5"]

    run(main())


def test_digits_are_sent_as_the_trunk_says():
    async def main():
        session, media = FakeSession(), FakeMedia()
        await leg_of(session, media).send_digits("12")
        await leg_of(session, media, dtmf="info").send_digits("3")
        assert media.sent == ["12"]
        assert session.infos == [("application/dtmf", b"3")]

    run(main())
