import asyncio

import pytest
import structlog

from opensip.errors import ConfigError
from opensip.server.means import open_exchange
from opensip.settings.load import load


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "opensip.toml"
    file.write_text('data = "data"\n[media]\naddress = "127.0.0.1"\npublic_address = "192.0.2.1"\n')
    return file


async def opened(file):
    return open_exchange(load(file), {})


def test_engine_ports_and_addresses(config):
    exchange = asyncio.run(opened(config))
    assert exchange.ports.address == "127.0.0.1"
    assert exchange.media.public_address == "192.0.2.1"
    assert exchange.data.is_dir()


def test_an_address_of_another_machine_is_told_at_the_start_not_by_each_call(config):
    config.write_text(config.read_text().replace("127.0.0.1", "192.0.2.77"))
    with pytest.raises(ConfigError, match=r"media.address 192.0.2.77 cannot be used"):
        asyncio.run(opened(config))


def test_a_data_directory_that_cannot_be_made(config):
    (config.parent / "data").write_text("in the way")
    with pytest.raises(ConfigError, match=r"data directory .* cannot be made"):
        asyncio.run(opened(config))


def test_recordings_are_kept_as_the_configuration_says(config, monkeypatch):
    monkeypatch.setenv("KEY", "ab" * 32)
    config.write_text(config.read_text() + '[recording]\nkey = "env:KEY"\n')
    exchange = asyncio.run(opened(config))
    assert exchange.recordings.keys.seals
    assert exchange.recordings.folder == exchange.data / "recordings"
    exchange.packer.close()


def test_what_a_crash_left_of_a_recording_that_was_being_packed_is_removed(config, monkeypatch):
    folder = config.parent / "data" / "recordings"
    folder.mkdir(parents=True)
    for name in ("c-1.wav", "c-1.flac.part"):
        (folder / name).write_bytes(b"sound")
    with structlog.testing.capture_logs() as logs:
        asyncio.run(opened(config)).packer.close()
    assert [path.name for path in folder.iterdir()] == ["c-1.wav"]
    assert [(one["event"], one["unfinished"]) for one in logs] == [("recordings_swept", 1)]

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    (folder / "c-1.flac.part").write_bytes(b"sound")
    monkeypatch.setattr(type(folder), "unlink", refused)
    with structlog.testing.capture_logs() as logs:
        asyncio.run(opened(config)).packer.close()
    assert [one["event"] for one in logs] == ["recordings_unswept"]
