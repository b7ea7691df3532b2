"""Sessions keyed by DTLS whose RTCP has a port of its own: a peer without rtcp-mux."""

import asyncio

from structlog.testing import capture_logs

from opensip.media.keying import PATIENCE
from opensip.media.ports import PortPool
from opensip.media.session import MediaConfig, MediaSession
from tests.fakes.engines import each_engine
from tests.fakes.virtual_time_loop import VirtualTimeLoop

CONFIG = MediaConfig("127.0.0.1", srtp="required", keying="dtls")
REPORTED = 4.0  # seconds until the first report has come, INTERVAL's longest


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())


def without_mux(description):
    """Write what a peer would that knows neither rtcp-mux nor ICE."""
    lines = description.decode().splitlines(keepends=True)
    left_out = ("a=rtcp-mux", "a=ice", "a=candidate")
    return "".join(line for line in lines if not line.startswith(left_out)).encode()


def sessions(engine_type, count=2):
    loop = asyncio.get_running_loop()
    engine, pool = engine_type(loop), PortPool("127.0.0.1", 0, 0, clock=loop.time)
    return [MediaSession(engine, pool, CONFIG) for _ in range(count)]


@each_engine
def test_rtcp_has_a_handshake_of_its_own_without_mux(engine_type):
    async def main():
        caller, callee = sessions(engine_type)
        answer = callee.answer(without_mux(caller.offer()))
        assert b"rtcp-mux" not in answer
        caller.accept(answer)
        await asyncio.sleep(REPORTED)
        for session in (caller, callee):
            counts = session.statistics()
            assert counts["received"] > 150
            assert counts["rtcp_received"] >= 1
            assert counts["round_trip_ms"] >= 0
            assert "dropped_forged" not in counts
            await session.close()

    run(main)


@each_engine
def test_reports_go_on_over_the_old_hold(engine_type):
    async def main():
        caller, callee = sessions(engine_type)
        offer = caller.offer()
        caller.accept(callee.answer(without_mux(offer)))
        await asyncio.sleep(REPORTED)
        before = callee.statistics()["rtcp_received"]
        held = without_mux(offer).replace(b"IN IP4 127.0.0.1\r\nt=", b"IN IP4 0.0.0.0\r\nt=")
        callee.answer(held)
        callee.answer(without_mux(offer))
        await asyncio.sleep(2 * REPORTED)
        assert callee.statistics()["rtcp_received"] > before
        for session in (caller, callee):
            await session.close()

    run(main)


@each_engine
def test_a_peer_without_a_handshake_for_rtcp_is_heard_all_the_same(engine_type):
    async def main():
        caller, callee = sessions(engine_type)
        caller.stream.control = lambda beside: None  # it knows nothing of DTLS there
        caller.accept(callee.answer(without_mux(caller.offer())))
        with capture_logs() as logs:
            await asyncio.sleep(PATIENCE + 1)
        assert [entry["event"] for entry in logs].count("rtcp_not_keyed") == 2
        counts = callee.statistics()
        assert (counts["rtcp_received"], counts["rtcp_sent"]) == (0, 0)
        assert counts["received"] > 700
        for session in (caller, callee):
            await session.close()

    run(main)
