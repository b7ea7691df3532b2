"""One endpoint of ours and one peer of any kind, under virtual time."""

from tests.fakes.agents import CALLER, Words, endpoint
from tests.fakes.sip_link import Link, Peer, run

US = ("127.0.0.1", 5060)


class Scene:
    """An endpoint, and a peer that talks to it. Calls ring until they are cancelled."""

    def __init__(self, on_call=None, *, host="127.0.0.9", transport="UDP", **config):
        self.link = Link()
        self.calls = []
        self.words = Words("ours")
        self.on_call = on_call or self.ring
        self.us = endpoint(
            self.take, link=self.link, host=US[0], port=US[1], transport=transport, **config
        )
        serial = 0 if transport == "UDP" else 9
        self.peer = Peer(self.link, host, transport=transport, serial=serial)

    async def take(self, call):
        self.calls.append(call)
        await self.on_call(call)

    async def ring(self, call):
        call.provisional(180)
        await call.wait_cancelled()

    async def __aenter__(self):
        await self.us.start()
        return self

    async def __aexit__(self, *_):
        await self.us.close()

    def send(self, message):
        self.peer.send(message, US)

    def answer(self, request, status, **more):
        """Let the peer answer a request of ours."""
        self.send(self.peer.answer(request, status, **more))

    async def ask(self, method, **more):
        """Let the peer send a request; give the first response."""
        self.send(self.peer.request(method, **more))
        return await self.peer.get()

    async def dial(self, **more):
        """Call the peer; give the call and the INVITE that the peer got."""
        to = self.peer.request().contact.uri
        call = await self.us.dial(to, from_=CALLER, negotiator=self.words, **more)
        return call, await self.peer.get()

    async def talk(self, **more):
        """Call the peer, which answers; give the session."""
        call, invite = await self.dial()
        self.answer(invite, 200, body=b"answer", **more)
        assert (await self.peer.get()).method == "ACK"
        return await call.wait_answered()

    async def ask_within(self, session, method, *, cseq=10, **more):
        """Let the peer, as callee, send a request within the dialog; give the first response."""
        dialog = session.dialog
        own = {
            "From": f"<sip:peer@127.0.0.9:5060>;tag={dialog.remote.tag}",
            "Call_ID": dialog.id.call_id,
            "branch": f"in{cseq}",
        }
        return await self.ask(method, to_tag=dialog.local.tag, cseq=cseq, **(own | more))

    async def notify(self, session, body, *, cseq=10, state="active;expires=60"):
        """Let the peer tell of our REFER."""
        return await self.ask_within(
            session,
            "NOTIFY",
            cseq=cseq,
            body=body,
            Event="refer",
            Subscription_State=state,
            Content_Type="message/sipfrag;version=2.0",
        )


async def refer(session, **more):
    """Refer, and collect the progress."""
    return [(p.way, p.status, p.final) async for p in session.refer("<sip:desk@x>", **more)]


def sipfrag(status):
    return f"SIP/2.0 {status} Whatever\r\n".encode()


def scene(check, *args, **more):
    """Run `check(scene)` with an endpoint that is up."""

    async def main():
        async with Scene(*args, **more) as it:
            await check(it)

    run(main)
