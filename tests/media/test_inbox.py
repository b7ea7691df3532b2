import asyncio

from opensip.media.inbox import Inbox
from opensip.media.ports import PortPool


class Reader(list):
    def receive(self, datagram, source, *, now):
        self.append((datagram, source, now))


def test_datagrams_go_to_the_reader_with_source_and_time():
    async def main():
        loop, reader = asyncio.get_running_loop(), Reader()
        pair = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        inbox = Inbox(reader, lambda: 7.0)
        inbox.close()  # before it was open: nothing
        await loop.create_datagram_endpoint(lambda: inbox, sock=pair.rtcp)
        pair.rtp.sendto(b"one", pair.rtcp.getsockname())
        await asyncio.sleep(0.02)
        assert reader == [(b"one", pair.address, 7.0)]
        inbox.close()
        await asyncio.sleep(0)
        assert pair.rtcp.fileno() == -1
        pair.close()

    asyncio.run(main())
