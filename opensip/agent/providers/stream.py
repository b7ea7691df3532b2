"""Bring your own bot: we open its WebSocket and speak as its carrier does.

A bot that was written for Twilio's Media Streams or Bandwidth's bidirectional streams answers
unchanged, but for the REST request with which it hangs up: here it closes its socket.
"""

import secrets
from collections.abc import AsyncIterator
from functools import partial

import numpy as np
import structlog

from opensip.agent.health import Health, Healths
from opensip.agent.live import Cut, Marked, Opening, Sound, Told
from opensip.agent.memory import Call
from opensip.agent.probing import SECONDS
from opensip.agent.providers import Brief
from opensip.agent.spoken import fill_names
from opensip.agent.wire import Wire
from opensip.audio.codecs import G711
from opensip.audio.frame import Samples
from opensip.errors import ConfigError, OpenSipError, ProviderError, RemoteProtocolError
from opensip.media_streams import FORMATS
from opensip.media_streams.message import (
    Clear,
    Command,
    Connected,
    Event,
    Heard,
    Key,
    Mark,
    Play,
    Reached,
    Start,
    Stop,
)
from opensip.net import websocket
from opensip.net.reach import reach

log = structlog.get_logger(__name__)

RATE = 8000
PIECE = 160  # samples of a message: carriers send 20 ms
ACCOUNT = "opensip"  # where carriers name the account
MOST_WRONG = 20  # messages of a call that may be refused, before the bot counts as broken
_WRONG_KEY = (401, 403)  # statuses of a bot that does not know us
_REST = 60.0  # seconds, after one of them: somebody must change the configuration first
_PCMU = G711["PCMU"]
_IDS = {"twilio": ("MZ", "CA"), "bandwidth": ("s-", "c-")}  # how carriers' ids begin

healths = Healths()  # of each bot, for all calls


class BotStream:
    """One call's line to a bot: a `Realtime` (agent/live.py)."""

    rate = RATE
    patience = None
    single_keys = True

    def __init__(self, brief: Brief) -> None:
        account = brief.account
        self.name = brief.name
        self.health: Health = healths.of(
            account.base_url, partial(reach, account.base_url, seconds=SECONDS)
        )
        self.first_sound = account.first_sound_seconds or None
        self.ends_call = account.when_closed == "hang_up"
        self._account = account
        self._format = FORMATS[account.protocol]
        self._parameters = {
            name: fill_names(value, brief.variables) for name, value in account.parameters.items()
        }
        stream, call = _IDS[account.protocol]
        self._stream = stream + secrets.token_hex(16)
        self._call = brief.variables.get("call_id") or call + secrets.token_hex(16)
        self._wire = Wire(brief.name, self._connect, websocket.WebSocket.send)
        self._number = 0  # of the last message
        self._sent = 0  # samples
        self._rest = np.empty(0, np.int16)  # less than a piece

    async def connect(self) -> None:
        """Open the WebSocket, within the account's `realtime_seconds`."""
        await self._wire.open()

    async def _connect(self) -> websocket.WebSocket:
        account = self._account
        headers = {"Authorization": f"Bearer {account.api_key}"} if account.api_key else {}
        try:
            return await websocket.connect(
                account.base_url, seconds=account.realtime_seconds, headers=headers
            )
        except OpenSipError as error:
            wrong = any(f"status {status}" in str(error) for status in _WRONG_KEY)
            more = f": see api_key of [providers.{self.name}]" if wrong else ""
            rest = _REST if wrong else 0.0
            raise ProviderError(
                f"{self.name}: {error}{more}", provider=self.name, rest=rest
            ) from error

    async def begin(self, opening: Opening) -> None:
        """Tell the bot that the call begins; its parameter `reason` says why anew."""
        await self._wire.begin()
        if self._wire.connection and not self._wire.connection.is_open:  # who waited too long
            text = f"{self.name}: closed its socket before the call began"
            raise ProviderError(text, provider=self.name, retryable=True)
        self._number, self._sent = 0, 0
        self._put(Connected())
        more = {"reason": opening.cause} if opening.cause else {}
        self._put(Start(self._stream, self._call, ACCOUNT, self._parameters | more))

    def hear(self, samples: Samples) -> None:
        """Send what the caller says, in pieces of 20 ms."""
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) // PIECE * PIECE
        for start in range(0, whole, PIECE):
            payload = _PCMU.encode(waiting[start : start + PIECE])
            self._put(Heard(payload, self._sent * 1000 // RATE))
            self._sent += PIECE
        self._rest = waiting[whole:]

    def press(self, keys: str) -> None:
        """Tell the bot of a key; Bandwidth has no word for it."""
        for digit in keys:
            self._put(Key(digit))

    def reached(self, name: str) -> None:
        """Send a mark back."""
        self._put(Reached(name))

    def cut(self, item: str, heard: float) -> None:
        """A bot has no utterances."""

    def give(self, call: Call, result: str) -> None:
        """A bot has tools of its own."""

    def note(self, text: str) -> None:
        """A bot is told what its carrier would tell."""

    def go_on(self) -> None:
        """A bot goes on by itself."""

    async def told(self) -> AsyncIterator[Told]:
        """Tell what the bot wants, until it closes its socket. Raises ProviderError."""
        wrong = 0
        while (message := await self._received()) is not None:
            try:
                command = self._format.read_command(message)
            except RemoteProtocolError as error:
                wrong += 1
                if wrong == 1:  # of the others the count
                    log.warning("bot_message_refused", provider=self.name, why=str(error))
                if wrong > MOST_WRONG:
                    log.warning("bot_messages_refused", provider=self.name, count=wrong)
                    raise ProviderError(f"{self.name}: {error}", provider=self.name) from error
                continue
            if command is not None:
                yield _told(command)
        if self._wire.error:
            raise self._wire.error

    async def close(self) -> None:
        """Tell the bot that the stream is over, and close the socket."""
        self._put(Stop(self._stream, self._call, ACCOUNT))
        await self._wire.close()

    async def _received(self) -> str | None:
        socket = self._wire.connection
        try:
            return await socket.receive() if socket is not None else None
        except OpenSipError as error:
            told = self._wire.error or ProviderError(f"{self.name}: {error}", provider=self.name)
            raise told from error

    def _put(self, event: Event) -> None:
        if not self._wire.has_begun:
            return
        self._number += not isinstance(event, Connected)
        text = self._format.write_event(event, stream=self._stream, number=self._number)
        if text:
            self._wire.put(text)


def _told(command: Command) -> Told:
    match command:
        case Play(payload, 0):
            return Sound(_PCMU.decode(payload), RATE)
        case Play(payload, rate):
            return Sound(np.frombuffer(payload, "<i2").astype(np.int16), rate)
        case Mark(name):
            return Marked(name)
        case Clear():
            return Cut()


def make(brief: Brief) -> BotStream:
    """Make the line of one call. Raises ConfigError without an address of the bot."""
    if not brief.account.base_url:
        raise ConfigError(f"providers.{brief.name}.base_url: where is the bot? Write wss://…")
    return BotStream(brief)
