"""Two legs whose codecs differ, on the wire: the human's peer is asked by re-INVITE."""

import asyncio

import pytest

from opensip.call.bridge import bridge
from opensip.call.sip_leg import SipLeg
from opensip.events import MediaJoined
from opensip.media import accord
from opensip.media.engine_python import PythonEngine
from opensip.media.ports import PortPool
from opensip.media.session import MediaConfig, MediaSession
from opensip.sip.timers import Timers
from tests.fakes.agents import CALLER
from tests.fakes.parties import Notes
from tests.fakes.scene import scene

ASKED = "the target is asked for PCMU or PCMA by re-INVITE"
AGREED = ("engine", "PCMU and PCMU", "the target agreed by re-INVITE")
G711, WIDE = ("PCMU", "PCMA"), ("G722", "PCMU", "PCMA")


class Bridged:
    """A caller with PCMU and a human with G.722, both played by one peer, bridged by us."""

    def __init__(self, it):
        loop = asyncio.get_running_loop()
        self.it, self.notes, self.engine = it, Notes(), PythonEngine(loop)
        self.pool = PortPool("127.0.0.1", 0, 0, clock=loop.time)
        self.caller, self.human = self.media(G711), self.media(WIDE)
        self.ours = [self.media(WIDE), self.media(WIDE)]

    def media(self, codecs):
        config = MediaConfig("127.0.0.1", codecs=codecs, srtp="required")
        return MediaSession(self.engine, self.pool, config, observer=self.notes)

    async def connect(self, media, phone):
        """Call a telephone, which answers with what it likes best."""
        call = await self.it.us.dial(
            self.it.peer.request().contact.uri, from_=CALLER, negotiator=media
        )
        invite = await self.it.peer.get()
        self.it.answer(invite, 200, body=phone.answer(invite.body), Allow="INVITE, UPDATE")
        assert (await self.it.peer.get()).method == "ACK"
        return SipLeg(await call.wait_answered(), media)

    async def join(self):
        """Bridge both; give the re-INVITE that the human gets."""
        caller = await self.connect(self.ours[0], self.caller)
        human = await self.connect(self.ours[1], self.human)
        self.legs = caller, human
        self.call = asyncio.ensure_future(bridge(caller, human))
        reinvite = await self.it.peer.get()
        assert b"G722" not in reinvite.body
        return reinvite

    def answer(self, request, phone=None):
        body = (phone or self.human).answer(request.body)
        self.it.answer(request, 200, body=body)

    @property
    def told(self):
        return [(note.way, note.codecs, note.why) for note in self.notes.of(MediaJoined)]

    async def next(self, method):
        """Take what comes until a request of that method; answer none."""
        while getattr(message := await self.it.peer.get(), "method", "") != method:
            pass
        return message

    async def end(self):
        """Let all hang up."""
        self.call.cancel()
        closing = [asyncio.ensure_future(leg.close()) for leg in self.legs]
        await asyncio.sleep(0.1)
        for media in (self.caller, self.human):
            await media.close()
        await asyncio.gather(*closing)


def bridged(check, **more):
    """Run `check(bridged, re-INVITE)`; the human and the caller are in a scene of their own."""

    async def main(it):
        both = Bridged(it)
        reinvite = await both.join()
        assert both.told == [("batches", "PCMU and G722", ASKED)]
        await check(both, reinvite)
        await both.end()

    scene(main, **more)


def test_agreed():
    async def check(both, reinvite):
        before = both.ours[1].negotiated
        both.answer(reinvite)
        assert (await both.it.peer.get()).method == "ACK"
        await asyncio.sleep(0.1)
        assert both.told[1:] == [AGREED]
        now = both.ours[1].negotiated
        assert (now.tx_key, now.rx_key, now.suite) == (before.tx_key, before.rx_key, before.suite)

    bridged(check)


@pytest.mark.parametrize("status", [488, 408, 500])
def test_refused(status):
    async def check(both, reinvite):
        both.it.answer(reinvite, status)
        assert (await both.it.peer.get()).method == "ACK"
        await asyncio.sleep(1)
        [(way, codecs, why)] = both.told[1:]
        assert (way, codecs) == ("batches", "PCMU and G722")
        assert why.startswith(f"the target refused a re-INVITE: {status} ")
        assert not both.call.done()
        assert both.it.peer.inbox.empty()  # nobody is asked twice

    bridged(check)


def test_glare():
    async def check(both, reinvite):
        both.it.answer(reinvite, 491)
        again = await both.next("INVITE")
        assert 2.1 <= asyncio.get_running_loop().time() < 4.5  # RFC 3261 section 14.1
        both.answer(again)
        await asyncio.sleep(0.1)
        assert both.told[1:] == [AGREED]

    bridged(check)


def test_no_answer(monkeypatch):
    async def check(both, reinvite):
        await asyncio.sleep(1.1)
        assert both.told[1:] == [
            ("batches", "PCMU and G722", "the target did not answer a re-INVITE within 1 s")
        ]
        await asyncio.sleep(2.5)  # the transaction is given up, and not the call
        assert not both.call.done()
        both.it.peer.inbox = asyncio.Queue()
        held = asyncio.ensure_future(both.legs[1].hold(True))
        update = await both.it.peer.get()
        assert b"a=sendonly" in update.body
        both.answer(update)
        await held

    monkeypatch.setattr(accord, "PATIENCE", 1.0)
    bridged(check, timers=Timers(t1=0.05))


def test_an_answer_without_audio():
    async def check(both, reinvite):
        port = str(both.human.address[1]).encode()
        refused = both.human.answer(reinvite.body).replace(b"m=audio " + port, b"m=audio 0")
        both.it.answer(reinvite, 200, body=refused)
        back = await both.next("INVITE")
        assert b"G722" in back.body
        both.answer(back)
        await asyncio.sleep(0.1)
        assert "cannot be used" in both.told[-1][2]
        assert not both.call.done()

    bridged(check)


@pytest.mark.parametrize("who", ["caller", "human"])
def test_hang_up_meanwhile(who):
    async def check(both, reinvite):
        leg = both.legs[who == "human"]
        hanging = asyncio.ensure_future(leg._session.bye())
        both.it.answer(await both.next("BYE"), 200)
        await hanging
        if who == "caller":
            both.it.answer(await both.next("BYE"), 200)
        await asyncio.wait_for(both.call, 5)
        both.answer(reinvite)
        await asyncio.sleep(0.1)
        assert len(both.told) == 1

    bridged(check)


def test_hold_meanwhile():
    async def check(both, reinvite):
        holding = asyncio.ensure_future(both.legs[1].hold(True))
        await both.it.peer.silence(0.2)  # one offer at a time
        both.answer(reinvite)
        assert (await both.it.peer.get()).method == "ACK"
        hold = await both.it.peer.get()
        assert hold.method == "UPDATE"
        assert b"a=sendonly" in hold.body
        assert b"G722" not in hold.body
        both.answer(hold)
        await holding
        assert both.told[1:] == [AGREED]

    bridged(check)


def test_hold_of_the_human_comes_first():
    async def check(both, reinvite):
        both.human.direction = "inactive"
        dialog = both.legs[1]._session.dialog
        request = both.it.peer.request(
            "INVITE", to_tag=dialog.local.tag, cseq=9, body=both.human.offer(), branch="h",
            From=f"<sip:peer@127.0.0.9:5060>;tag={dialog.remote.tag}", Call_ID=dialog.id.call_id,
        )  # fmt: skip
        both.it.send(request)
        assert (await both.it.peer.get()).status == 491
        both.it.answer(reinvite, 491)
        again = await both.next("INVITE")
        both.answer(again)
        await asyncio.sleep(0.1)
        assert both.told[-1][0] == "engine"

    bridged(check)
