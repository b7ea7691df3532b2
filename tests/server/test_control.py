import asyncio
import socket
import stat

import pytest

from opensip.errors import ConfigError, TransportFailed
from opensip.server.control import NAME, ControlSocket, ask


def test_a_running_server_answers(tmp_path):
    async def main():
        control = ControlSocket(tmp_path, lambda: {"calls": 2})
        await control.start()
        mode = stat.S_IMODE((tmp_path / NAME).stat().st_mode)
        status = await asyncio.to_thread(ask, tmp_path)
        await control.close()
        return mode, status

    assert asyncio.run(main()) == (0o600, {"calls": 2})
    assert not (tmp_path / NAME).exists()


def test_a_socket_left_by_a_killed_server_is_no_obstacle(tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / NAME))

    async def main():
        control = ControlSocket(tmp_path, dict)
        await control.start()
        await control.close()

    asyncio.run(main())


def test_two_servers_do_not_share_a_directory(tmp_path):
    async def main():
        first = ControlSocket(tmp_path, dict)
        await first.start()
        try:
            with pytest.raises(ConfigError, match="a server runs already"):
                await ControlSocket(tmp_path, dict).start()
        finally:
            await first.close()

    asyncio.run(main())


def test_no_server_is_said_in_words(tmp_path):
    with pytest.raises(TransportFailed, match=r"no server answers on .* is it running"):
        ask(tmp_path)


def test_a_path_too_long_is_said_in_words(tmp_path):
    with pytest.raises(ConfigError, match="choose a shorter `data`"):
        asyncio.run(ControlSocket(tmp_path / ("d" * 100), dict).start())
