"""The peer of the conversation benches: pipecat behind its Bandwidth serializer, with our fakes.

usage: pipecat_bot.py PLAN RESULT, with the interpreter of .venv/pipecat
PLAN is a JSON file: {"calls": [{"told": [[sample, text, final, over], ...]}, ...], "answer": str,
"stop": "service" | "smart" | "silence", "silence": seconds}. Prints a port of each call, where a
carrier may connect, and waits for a line. RESULT gets the events of each call, as a list of
[kind, fields].

What pipecat advises is left as it comes: Silero at 8 kHz (0.2 s to begin and to end), a turn begins
by voice activity or by words, silences and ends of turns are its own. `service` is its strategy for
recognizers that tell ends of turns, `smart` its default, smart-turn, `silence` its SpeechTimeout,
which with the voice activity's 0.2 s makes `silence` seconds. Finals are marked as final, so that
it never waits for more words than there are. Metrics, tracing and RTVI are off: they cost.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncGenerator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VAD_STOP_SECS
from pipecat.frames.frames import (
    Frame,
    InterimTranscriptionFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.websocket.server import (
    SingleClientWebsocketServerParams,
    SingleClientWebsocketServerTransport,
)
from pipecat.turns.user_stop import (
    BaseUserTurnStopStrategy,
    ExternalUserTurnStopStrategy,
    SpeechTimeoutUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner
from pipecat_bandwidth import BandwidthFrameSerializer

RATE = 8000
SYNC = 20000  # as talk/fakes.py, like all that follows
FIRST_TOKEN, FIRST_SOUND = 0.15, 0.1
WORD_LATE = 0.1
PACE = 0.06  # seconds a character
LAST_FINAL = 0.45  # seconds after which no recognizer here tells words any more

Event = tuple[str, dict[str, float]]


class Recognizer(STTService):
    """Tells what is written down, as soon as the audio that holds it has come, and a little."""

    def __init__(self, told: list[list[Any]]) -> None:
        super().__init__(
            sample_rate=RATE, ttfs_p99_latency=LAST_FINAL,
            settings=STTSettings(model=None, language=None),
        )  # fmt: skip
        self._told = told[::-1]
        self._heard = 0
        self._sync: int | None = None

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Count what comes."""
        samples = np.frombuffer(audio, np.int16)
        if self._sync is None:
            marks = np.flatnonzero(np.abs(samples.astype(np.int32)) > SYNC)
            self._sync = self._heard + int(marks[0]) if len(marks) else None
        self._heard += len(samples)
        while self._sync is not None and self._told:
            late = (self._heard - self._sync - self._told[-1][0]) / RATE
            if late < 0:
                break
            words = self.tell(max(0.0, WORD_LATE - late), *self._told.pop()[1:])
            self.create_task(words, "words")
        yield None

    async def tell(self, delay: float, text: str, final: bool, over: bool) -> None:
        """Tell words after a while."""
        await asyncio.sleep(delay)
        if not final:
            await self.push_frame(InterimTranscriptionFrame(text, "", time_now_iso8601()))
            return
        await self.push_frame(TranscriptionFrame(text, "", time_now_iso8601(), finalized=True))
        if over:
            await self.broadcast_frame(ProposedUserStoppedSpeakingFrame)


class Model(LLMService):
    """Gives one answer to everything, its first token after FIRST_TOKEN, the others at once."""

    def __init__(self, answer: str) -> None:
        names = ("model", "system_instruction", "temperature", "max_tokens", "top_p", "top_k",
                 "frequency_penalty", "presence_penalty", "seed",
                 "filter_incomplete_user_turns", "user_turn_completion_config")  # fmt: skip
        super().__init__(settings=LLMSettings(**dict.fromkeys(names)))
        self._answer = answer

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answer."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        await asyncio.sleep(FIRST_TOKEN)
        await self.push_frame(LLMTextFrame(self._answer))
        await self.push_frame(LLMFullResponseEndFrame())


@cache
def tone(seconds: float) -> "np.typing.NDArray[np.int16]":
    """Make what the voice says, once for as long an answer, as ours does."""
    times = np.arange(round(seconds * RATE)) / RATE
    return (4634 * np.sin(2 * np.pi * 400 * times)).astype(np.int16)  # -20 dBFS


class Voice(TTSService):
    """A tone, PACE seconds a character, its first piece after FIRST_SOUND."""

    def __init__(self, events: list[Event]) -> None:
        super().__init__(
            sample_rate=RATE, push_start_frame=True, push_stop_frames=True,
            settings=TTSSettings(model=None, voice=None, language=None),
        )  # fmt: skip
        self._events = events

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Speak in pieces of a tenth of a second."""
        await asyncio.sleep(FIRST_SOUND)
        self._events.append(("voice_begun", {"at": time.monotonic()}))
        samples = tone(len(text) * PACE)
        for start in range(0, len(samples), RATE // 10):
            piece = samples[start : start + RATE // 10].tobytes()
            yield TTSAudioRawFrame(piece, RATE, 1, context_id=context_id)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Note interruptions."""
        if isinstance(frame, InterruptionFrame):
            self._events.append(("interrupted", {"at": time.monotonic()}))
        await super().process_frame(frame, direction)


def stop_strategy(plan: dict[str, Any]) -> BaseUserTurnStopStrategy:
    """Choose what ends a turn."""
    match plan["stop"]:
        case "service":
            return ExternalUserTurnStopStrategy()
        case "smart":
            return TurnAnalyzerUserTurnStopStrategy(turn_analyzer=LocalSmartTurnAnalyzerV3())
        case _:
            return SpeechTimeoutUserTurnStopStrategy(
                user_speech_timeout=plan["silence"] - VAD_STOP_SECS
            )


def build(
    number: int, told: list[list[Any]], plan: dict[str, Any], port: int, events: list[Event]
) -> tuple[SingleClientWebsocketServerTransport, PipelineWorker]:
    """Build the bot of one call."""
    serializer = BandwidthFrameSerializer(
        f"stream-{number}", params=BandwidthFrameSerializer.InputParams(auto_hang_up=False)
    )
    transport = SingleClientWebsocketServerTransport(
        SingleClientWebsocketServerParams(
            audio_in_enabled=True, audio_out_enabled=True, serializer=serializer
        ),
        "127.0.0.1", port,
    )  # fmt: skip
    words = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=SileroVADAnalyzer(),
            user_turn_strategies=UserTurnStrategies(stop=[stop_strategy(plan)]),
        ),
    )
    parts = [
        transport.input(), Recognizer(told), words.user(), Model(plan["answer"]),
        Voice(events), transport.output(), words.assistant(),
    ]  # fmt: skip
    worker = PipelineWorker(
        Pipeline(parts), idle_timeout_secs=None, enable_rtvi=False, enable_turn_tracking=False,
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
    )  # fmt: skip

    @transport.event_handler("on_client_connected")
    async def greet(transport: object, client: object) -> None:
        await worker.queue_frames([TTSSpeakFrame("Hello.")])

    return transport, worker


def reserve_ports(count: int) -> list[socket.socket]:
    """Bind free ports and listen on none: the transport cannot tell which one it got.

    While a socket is open its port goes to nobody who asks for any, as other bots do, and yet to
    the server that asks for it by number: both have SO_REUSEADDR (socket(7)).
    """
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        each.bind(("127.0.0.1", 0))
    return sockets


async def talk(plan: dict[str, Any]) -> list[list[Event]]:
    """Serve the calls until a line is read, and give what was noted."""
    events: list[list[Event]] = [[] for _ in plan["calls"]]
    reserved, waiting = reserve_ports(len(events)), len(events)
    ports = [each.getsockname()[1] for each in reserved]
    runner = WorkerRunner(handle_sigint=False)

    async def ready(transport: object) -> None:
        nonlocal waiting
        waiting -= 1
        if not waiting:
            for each in reserved:
                each.close()
            print(*ports, flush=True)

    for number, call in enumerate(plan["calls"]):
        transport, worker = build(number, call["told"], plan, ports[number], events[number])
        transport.add_event_handler("on_websocket_ready", ready)
        await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    await asyncio.to_thread(sys.stdin.readline)
    await runner.cancel()
    await running
    return events


def main() -> None:
    """Read the plan, let the calls talk, and write what they noted."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    events = asyncio.run(talk(plan))
    Path(sys.argv[2]).write_text(json.dumps(events))
    print("done", flush=True)


if __name__ == "__main__":
    main()
