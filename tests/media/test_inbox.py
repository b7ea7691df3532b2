import asyncio

from opensip.media.inbox import BURST, MOST_A_SECOND, Inbox, ReportInbox
from opensip.media.ports import PortPool
from tests.fakes.parties import run


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


def test_reports_are_read_without_a_transport_a_few_at_a_time():
    async def main():
        loop, reader = asyncio.get_running_loop(), Reader()
        pair = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        inbox = ReportInbox(reader, lambda: 7.0, loop=loop, sock=pair.rtcp)
        for number in range(BURST + 1):
            pair.rtp.sendto(b"%d" % number, pair.rtcp.getsockname())
        for _ in range(3):  # twice round the loop is enough
            await asyncio.sleep(0)
        assert reader == [(b"%d" % number, pair.address, 7.0) for number in range(BURST + 1)]
        inbox.close()
        pair.rtp.sendto(b"late", pair.rtcp.getsockname())
        await asyncio.sleep(0)
        assert len(reader) == BURST + 1
        pair.close()

    asyncio.run(main())


def test_a_flood_of_reports_is_left_to_the_system_for_the_rest_of_each_second():
    async def main():
        loop, reader = asyncio.get_running_loop(), Reader()
        pair = PortPool("127.0.0.1", 0, 0, clock=loop.time).take()
        inbox = ReportInbox(reader, loop.time, loop=loop, sock=pair.rtcp)
        for second in range(3):
            for _ in range(4):
                for _ in range(MOST_A_SECOND - 1):
                    pair.rtp.sendto(b"flood", pair.rtcp.getsockname())
                await asyncio.sleep(0.2)
            assert len(reader) == MOST_A_SECOND * (second + 1)
            await asyncio.sleep(0.2)
        heard = len(reader)
        inbox.close()  # amid a pause, which must not come back to it
        await asyncio.sleep(2)
        assert len(reader) == heard
        pair.close()

    run(main)
