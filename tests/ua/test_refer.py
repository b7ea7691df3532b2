import asyncio

import pytest
import structlog

from tests.fakes.scene import refer, scene, sipfrag


@pytest.mark.parametrize("accepted", [200, 202])
def test_transfer_that_works(accepted):
    async def check(it):
        session = await it.talk()
        referring = asyncio.create_task(refer(session, headers=[("X-Opensip-Intent", "billing")]))
        request = await it.peer.get()
        assert request.headers.get("Refer-To") == "<sip:desk@x>"
        assert request.headers.get("X-Opensip-Intent") == "billing"
        assert str(request.contact) == "<sip:127.0.0.1:5060>"
        it.answer(request, accepted)
        assert (await it.notify(session, sipfrag(100), cseq=10)).status == 200
        assert (await it.notify(session, sipfrag(180), cseq=11)).status == 200
        final = await it.notify(session, sipfrag(200), cseq=12, state="terminated")
        assert final.status == 200
        assert await referring == [
            ("refer", accepted, False),
            ("notify", 100, False),
            ("notify", 180, False),
            ("notify", 200, True),
        ]
        assert session.is_established

    scene(check)


def test_transfer_that_is_refused():
    async def check(it):
        session = await it.talk()
        referring = asyncio.create_task(refer(session))
        it.answer(await it.peer.get(), 603)
        assert await referring == [("refer", 603, True)]

    scene(check)


def test_transfer_to_a_busy_target():
    async def check(it):
        session = await it.talk()
        referring = asyncio.create_task(refer(session))
        it.answer(await it.peer.get(), 202)
        await it.notify(session, sipfrag(486), cseq=10, state="terminated;reason=noresource")
        assert (await referring)[-1] == ("notify", 486, True)

    scene(check)


def test_transfer_of_which_nothing_is_heard():
    async def check(it):
        session = await it.talk()
        referring = asyncio.create_task(refer(session))
        it.answer(await it.peer.get(), 202)
        assert await referring == [("refer", 202, False), ("notify", 0, True)]
        assert asyncio.get_running_loop().time() == pytest.approx(30, abs=0.2)
        assert session.is_established

    scene(check)


def test_a_target_that_rings_for_ever_is_waited_for_no_longer():
    async def check(it):
        session = await it.talk()
        referring = asyncio.create_task(refer(session))
        it.answer(await it.peer.get(), 202)
        for cseq, status in enumerate((100, 180, 180, 180, 180), 10):
            await it.notify(session, sipfrag(status), cseq=cseq)
            await asyncio.sleep(7)
        assert (await referring)[-2:] == [("notify", 180, False), ("notify", 0, True)]
        assert 30 <= asyncio.get_running_loop().time() < 36
        late = await it.notify(session, sipfrag(200), cseq=20, state="terminated")
        assert late.status == 200
        assert session.is_established

    scene(check)


def test_peer_that_hangs_up_before_it_tells():
    async def check(it):
        session = await it.talk()
        referring = asyncio.create_task(refer(session))
        it.answer(await it.peer.get(), 202)
        await it.ask_within(session, "BYE")
        assert (await referring)[-1] == ("bye", 200, True)
        assert (await session.wait_ended()).by == "remote"

    scene(check)


def test_refer_that_is_never_answered():
    async def check(it):
        session = await it.talk()
        assert await refer(session) == [("refer", 408, True)]

    scene(check)


def test_notify_before_the_202():
    async def check(it):
        session = await it.talk()
        referring = asyncio.create_task(refer(session))
        request = await it.peer.get()
        await it.notify(session, sipfrag(100), cseq=10)
        it.answer(request, 202)
        await it.notify(session, sipfrag(200), cseq=11, state="terminated")
        assert [way for way, *_ in await referring] == ["notify", "refer", "notify"]

    scene(check)


def test_refer_after_the_end():
    async def check(it):
        session = await it.talk()
        await it.ask_within(session, "BYE")
        assert await refer(session) == [("refer", 481, True)]

    scene(check)


def test_notify_of_nothing_we_asked_for():
    async def check(it):
        session = await it.talk()
        response = await it.ask_within(session, "NOTIFY", Event="refer")
        assert response.status == 481
        referring = asyncio.create_task(refer(session))
        it.answer(await it.peer.get(), 202)
        response = await it.ask_within(session, "NOTIFY", cseq=11, Event="@@")
        assert response.status == 481
        response = await it.notify(session, sipfrag(200), cseq=12, state="@@")
        assert response.status == 200
        assert (await referring)[-1] == ("notify", 200, True)

    scene(check)


async def refer_us(it, session, cseq=10, **more):
    return await it.ask_within(session, "REFER", cseq=cseq, **more)


def test_refer_is_declined_unless_somebody_takes_it():
    async def check(it):
        session = await it.talk()
        assert (await refer_us(it, session, Refer_To="<sip:a@b>")).status == 603
        session.on_refer = lambda refer: None
        assert (await refer_us(it, session, 11, Refer_To="<sip:a@b>")).status == 603
        assert (await refer_us(it, session, 12)).status == 400

    scene(check)


def test_refer_that_we_follow():
    async def check(it):
        session = await it.talk()

        async def follow(refer):
            assert str(refer.target.uri) == "sip:a@b"
            refer.accept()
            await refer.notify(180)
            await refer.notify(200)
            await refer.notify(500)
            done.append(True)

        done = []
        session.on_refer = follow
        assert (await refer_us(it, session, Refer_To="<sip:a@b>")).status == 202
        bodies = []
        for _ in range(3):
            request = await it.peer.get()
            it.answer(request, 200)
            bodies.append(request.body)
        assert bodies == [
            b"SIP/2.0 100 Trying\r\n",
            b"SIP/2.0 180 Ringing\r\n",
            b"SIP/2.0 200 OK\r\n",
        ]
        assert request.headers.get("Subscription-State").startswith("terminated")
        await it.peer.silence()
        assert done

    scene(check)


def test_refer_whose_follower_fails_is_declined():
    async def check(it):
        session = await it.talk()

        async def follow(refer):
            raise ValueError("a bug")

        session.on_refer = follow
        assert (await refer_us(it, session, Refer_To="<sip:a@b>")).status == 603

    with structlog.testing.capture_logs() as logs:
        scene(check)
    assert [line["event"] for line in logs] == ["work_failed"]


def test_notify_after_the_bye_is_not_sent():
    async def check(it):
        session = await it.talk()
        refers = []

        def take(refer):
            refer.accept()
            refers.append(refer)

        session.on_refer = take
        await refer_us(it, session, Refer_To="<sip:a@b>")
        it.answer(await it.peer.get(), 200)
        await it.ask_within(session, "BYE", cseq=11)
        await refers[0].notify(200)
        await it.peer.silence()

    scene(check)


def test_notify_that_is_never_answered():
    async def check(it):
        session = await it.talk()

        async def follow(refer):
            refer.accept()
            await refer.notify(180)
            done.append(asyncio.get_running_loop().time())

        done = []
        session.on_refer = follow
        await refer_us(it, session, Refer_To="<sip:a@b>")
        await asyncio.sleep(40)
        assert done == [pytest.approx(32, abs=0.2)]

    scene(check)
