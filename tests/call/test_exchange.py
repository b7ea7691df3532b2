import asyncio
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from opensip.agent.definition import Agent, Variant
from opensip.call.call import Ending
from opensip.carriers import Trunk
from opensip.media.session import MediaConfig
from tests.fakes.exchanges import exchange
from tests.fakes.legs import Noted
from tests.fakes.line import Line
from tests.fakes.talkers import FakeTalker
from tests.fakes.virtual_time_loop import VirtualTimeLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def test_each_call_has_books_under_an_id_of_its_own(tmp_path):
    async def main():
        house = exchange(tmp_path)
        one, two = house.open_entry(), house.open_entry()
        assert re.fullmatch(r"c-[0-9a-f]{12}", one.call_id)
        assert one.call_id != two.call_id

    run(main())


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (MediaConfig("127.0.0.1"), "127.0.0.1"),
        (MediaConfig("127.0.0.1", "203.0.113.5"), "203.0.113.5"),
        (MediaConfig("0.0.0.0"), "198.51.100.7"),
        (MediaConfig("::"), "198.51.100.7"),
        (MediaConfig("0.0.0.0", "203.0.113.5"), "203.0.113.5"),
    ],
)
def test_the_address_in_sdp_is_one_that_can_be_reached(tmp_path, media, expected):
    async def main():
        house = replace(exchange(tmp_path), media=media)
        trunk = Trunk("t", srtp="off", change_codec=False)
        session = house.open_media(trunk, Noted(), host="198.51.100.7")
        assert not session.spoken.may_change
        assert f"IP4 {expected}\r\n".encode() in session.offer()
        assert b"a=crypto" not in session.offer()
        await session.close()

    run(main())


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::"])
@pytest.mark.parametrize(
    ("host", "bound"), [("2001:db8::7", "::"), ("198.51.100.7", "0.0.0.0")], ids=["IPv6", "IPv4"]
)
def test_media_that_listen_everywhere_are_of_the_kind_of_the_signalling(
    tmp_path, everywhere, host, bound
):
    async def main():
        house = replace(exchange(tmp_path), media=MediaConfig(everywhere))
        session = house.open_media(Trunk("t", srtp="off"), Noted(), host=host)
        assert session.address[0] == bound
        assert f" {host}\r\n".encode() in session.offer()
        await session.close()

    run(main())


class Packing:
    def __init__(self):
        self.added = []

    def add(self, call_id, form):
        self.added.append((call_id, form))


def test_a_recording_is_packed_once_its_books_are_closed_if_it_is_wished(tmp_path):
    async def main():
        packer = Packing()
        office, added = exchange(tmp_path, packer=packer), []
        for form in ("wav", "flac"):
            entry = office.open_entry()
            recorder = office.recorder(entry, 8000, form)
            assert recorder.path == tmp_path / "recordings" / f"{entry.call_id}.wav"
            assert packer.added == []
            entry.close(Ending("caller", "bye"))
            added.append(entry.call_id)
        return packer.added == [(added[1], "flac")]

    assert run(main())


def test_an_agent_is_seated_as_the_called_number_has_it(tmp_path):
    async def main():
        german = {"+4930123456": Variant(language="de")}
        house = exchange(tmp_path, FakeTalker(), FakeTalker())
        house = replace(house, agents={"shop": Agent("shop", numbers=german)})
        line, languages = Line(), []
        for called in ("+4930123456", "+19195551234"):
            sounding = SimpleNamespace(source=line, sink=line)
            seat = house.seated("shop", sounding, Noted(), {"called": called})
            async with seat as (_, definition):
                languages.append(definition.language)
        return languages

    assert run(main()) == ["de", "en"]
