"""The means of all calls, made from settings: engine, ports, data directory."""

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path

import structlog

from opensip.agent.definition import Agent
from opensip.call.exchange import Exchange
from opensip.call.packing import Packer
from opensip.errors import ConfigError
from opensip.media.engine_choice import open_engine
from opensip.media.ports import PortPool
from opensip.media.recording_writer import WriterThread
from opensip.media.recordings import Recordings
from opensip.media.session import MediaConfig
from opensip.settings.load import Settings

log = structlog.get_logger(__name__)


def open_exchange(settings: Settings, agents: Mapping[str, Agent]) -> Exchange:
    """Make engine and ports on the running loop, and the data directory. Raises ConfigError."""
    loop = asyncio.get_running_loop()
    media = settings.server.media
    _try_address(media.address)
    _make_data(settings.server.data)
    recordings = Recordings(
        settings.server.data,
        settings.server.recording.masters(),
        WriterThread(loop.call_soon_threadsafe),
    )
    _sweep(recordings)
    return Exchange(
        engine=open_engine(media.engine, loop),
        ports=PortPool(
            *(media.address, media.first_port, media.last_port),
            clock=loop.time,
            later=loop.call_later,
        ),
        media=MediaConfig(media.address, media.public_address or None),
        agents=agents,
        data=settings.server.data,
        now=loop.time,
        recordings=recordings,
        packer=Packer(settings.server.data, recordings),
    )


def _try_address(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError as error:
        raise ConfigError(
            f"media.address {address} cannot be used: {error.strerror}; set it to an address of "
            "this machine, or to 0.0.0.0"
        ) from error


def _sweep(recordings: Recordings) -> None:
    try:
        left = recordings.sweep()
    except OSError as error:
        log.warning("recordings_unswept", folder=str(recordings.folder), why=str(error))
    else:
        if left:
            log.info("recordings_swept", folder=str(recordings.folder), unfinished=len(left))


def _make_data(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"the data directory {data} cannot be made: {error.strerror}; set `data` to one that "
            "this user may write"
        ) from error
