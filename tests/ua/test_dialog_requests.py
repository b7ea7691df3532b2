import asyncio

from tests.fakes.scene import refer, scene, sipfrag


def test_update():
    async def check(it):
        session = await it.talk()
        assert (await it.ask_within(session, "UPDATE")).body == b""
        assert (await it.ask_within(session, "UPDATE", cseq=11, body=b"new")).body == (
            b"ours answer 3"
        )

    scene(check)


def test_requests_of_other_kinds():
    async def check(it):
        session = await it.talk()
        heard = []
        dtmf = {"body": b"Signal=5\r\n", "Content_Type": "application/dtmf-relay"}
        assert (await it.ask_within(session, "INFO", **dtmf)).status == 200
        session.on_info = lambda kind, body: heard.append((kind, body))
        assert (await it.ask_within(session, "INFO", cseq=11, **dtmf)).status == 200
        assert heard == [("application/dtmf-relay", b"Signal=5\r\n")]
        mixed = {"Content_Type": "multipart/mixed;boundary=b"}
        part = b"--b\r\nContent-Type: application/dtmf\r\n\r\n7\r\n--b--\r\n"
        assert (await it.ask_within(session, "INFO", cseq=12, body=part, **mixed)).status == 200
        assert heard[1:] == [("application/dtmf", b"7")]
        optional = mixed | {"Content_Disposition": "session;handling=optional"}
        assert (await it.ask_within(session, "INFO", cseq=13, body=b"x", **optional)).status == 200
        assert heard[2:] == []
        for number, (method, status) in enumerate(
            [("OPTIONS", 200), ("MESSAGE", 405), ("SHUFFLE", 501), ("NOTIFY", 481)], start=14
        ):
            response = await it.ask_within(session, method, cseq=number)
            assert response.status == status
        assert (await it.ask_within(session, "INFO", cseq=2)).status == 500
        assert (await it.ask_within(session, "INFO", cseq=20, Require="x")).status == 420

    scene(check)


def test_a_second_transfer_is_told_of_where_notify_names_none():
    """RFC 3515 section 2.4.6 wants an id with a second REFER; peers leave it out all the same."""

    async def check(it):
        session = await it.talk(Allow="INVITE, REFER")
        outcomes = []
        for cseq, final in ((20, 486), (30, 200)):
            asked = asyncio.create_task(refer(session))
            it.answer(await it.peer.get(), 202)
            await it.notify(session, sipfrag(100), cseq=cseq)
            over = "terminated;reason=noresource"
            told = await it.notify(session, sipfrag(final), cseq=cseq + 1, state=over)
            assert told.status == 200
            outcomes.append((await asked)[-1])
        assert outcomes == [("notify", 486, True), ("notify", 200, True)]

    scene(check)
