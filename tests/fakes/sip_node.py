"""A SIP transport that keeps what it received, for tests over loopback."""

import asyncio

from opensip.net.sip_transport import SipTransport

PING = (
    b"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n"
    b"Content-Length: 0\r\n\r\n"
)


class SipNode:
    """A transport, what it received and which flows failed."""

    def __init__(self, *listeners, client_tls=None, known=(), banned=(), **options):
        self.known, self.banned = known, banned
        self.received = asyncio.Queue()
        self.failed = asyncio.Queue()
        self.refused = asyncio.Queue()
        self.transport = SipTransport(
            listeners,
            receive=lambda data, flow: self.received.put_nowait((data, flow)),
            failed=self.failed.put_nowait,
            client_tls=client_tls,
            porter=self,
            **options,
        )

    async def __aenter__(self):
        await self.transport.start()
        return self

    async def __aexit__(self, *_):
        await self.transport.close()

    def is_known(self, source):
        return source in self.known

    def is_banned(self, source, *, now):
        return source in self.banned

    def refuse_connection(self, kind, source, why, *, now):
        self.refused.put_nowait((kind, source, why))

    @property
    def port(self):
        return self.transport.bound[0][2]

    async def flow_to(self, other, server_name=""):
        name, host, port = other.transport.bound[0]
        return await self.transport.flow_to(name, host, port, server_name=server_name)


def run(main):
    """Run a coroutine function, five seconds at most."""

    async def bounded():
        async with asyncio.timeout(5):
            await main()

    asyncio.run(bounded())


async def at_end(reader):
    """Read to the end of a stream, which may come as a reset."""
    try:
        await reader.read()  # a TLS alert may come first
        return reader.at_eof()
    except ConnectionError:
        return True
