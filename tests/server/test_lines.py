"""Registrations and probes of a server's trunks, against a peer on a link."""

import asyncio
from dataclasses import replace

from opensip.carriers import Trunk
from opensip.server.lines import TrunkLines
from opensip.settings.schema import ServerTable
from opensip.sip.uri import Uri
from tests.fakes.scene import scene

REGISTERED = Trunk(
    "office", registrar="sip:127.0.0.9:5060", username="alice", password="pw", realms=("reg",)
)
PROBED = Trunk("sbc", termination="sip:trunk@127.0.0.9:5060", probe_seconds=30.0)


async def serve(it, until):
    """Say 200 to all, until `until` requests have come; give their methods."""
    methods = []
    while len(methods) < until:
        request = await it.peer.get()
        methods.append((request.method, str(request.to.uri), request.headers.get("Expires")))
        it.answer(request, 200, contact=False)
    await asyncio.sleep(0.1)
    return methods


def test_trunks_are_registered_and_probed():
    async def check(it):
        lines = TrunkLines(it.us)
        lines.use([REGISTERED, PROBED, Trunk("silent")], ServerTable())
        methods = await serve(it, 2)
        assert sorted(methods) == [
            ("OPTIONS", "sip:trunk@127.0.0.9:5060", None),
            ("REGISTER", "sip:alice@127.0.0.9", "3600"),
        ]
        office, sbc, silent = lines.status()
        assert (office["registration"]["state"], office["probe"]) == ("registered", None)
        assert (sbc["registration"], sbc["probe"]["state"]) == (None, "up")
        assert (silent["registration"], silent["probe"]) == (None, None)
        closing = asyncio.create_task(lines.close())
        assert (await serve(it, 1))[0][2] == "0"
        await closing

    scene(check)


def test_reload_changes_only_what_changed():
    async def check(it):
        lines = TrunkLines(it.us)
        lines.use([REGISTERED, PROBED], ServerTable())
        await serve(it, 2)
        lines.use([REGISTERED, replace(PROBED, probe_seconds=5.0)], ServerTable())
        assert [method for method, *_ in await serve(it, 2)] == ["OPTIONS", "OPTIONS"]
        moved = replace(REGISTERED, address="sip:bob@reg.test")
        lines.use([moved], ServerTable())
        told = await serve(it, 2)
        assert {("sip:alice@127.0.0.9", "0"), ("sip:bob@reg.test", "3600")} == {
            (to, expires) for _, to, expires in told
        }
        closing = asyncio.create_task(lines.close())
        await serve(it, 1)
        await closing

    scene(check)


def test_requests_of_a_trunk_go_where_its_registrar_says():
    """RFC 3608 section 6.1: the service route is preloaded."""

    async def check(it):
        lines = TrunkLines(it.us)
        lines.use([REGISTERED], ServerTable())
        register = await it.peer.get()
        it.answer(register, 200, contact=False, Service_Route="<sip:edge.example;lr>")
        await asyncio.sleep(0.1)
        way, route = lines.way_out(REGISTERED, Uri.parse("sip:+19195551234@127.0.0.9"))
        assert route == (("Route", "<sip:edge.example;lr>"),)
        assert way.tls is not None
        other = replace(REGISTERED, username="")  # the terms on which a foreign host is called
        assert lines.way_out(other, Uri.parse("sip:desk@x"))[1] == ()
        closing = asyncio.create_task(lines.close())
        await serve(it, 1)
        await closing

    scene(check)
