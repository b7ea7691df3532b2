"""Set-up of the logs: JSON lines, or a readable form on a terminal, with the call id everywhere.

Nothing here is logged to; a module writes `log = structlog.get_logger(__name__)`.
"""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any, Literal, TextIO

import structlog

Form = Literal["auto", "json", "console"]
Level = Literal["debug", "info", "warning", "error"]

CREDENTIALS = frozenset(
    {"password", "authorization", "secret", "ha1", "nonce", "token", "api_key", "master_key"}
)
TALKATIVE = ("httpx2", "httpcore2", "openai")  # a line a request; at debug, all that callers said
WORDS = frozenset({"text", "transcript", "heard", "said", "summary", "digit", "digits", "slots"})


def configure(
    *,
    level: Level = "info",
    form: Form = "auto",
    transcripts: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Send what is logged, ours and the libraries', to `stream` (standard error).

    `transcripts` lets through what callers said and keyed; credentials never pass.
    """
    stream = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        keep_words if transcripts else hide_words,
        hide_credentials,
    ]
    structlog.configure(
        # Ours are written at once: a detour by the standard library's records costs twice as much.
        processors=[*shared, *_rendering(form, stream)],
        logger_factory=lambda name="": _Lines(name, stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    _take_foreign(shared, form, stream)
    logging.getLogger().setLevel(level.upper())


def _take_foreign(shared: list[structlog.typing.Processor], form: Form, stream: TextIO) -> None:
    """Send what libraries log the same way; a line a request is too much of it."""
    bare = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[bare, *_rendering(form, stream)]
        )
    )
    logging.getLogger().handlers = [handler]
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Lines:
    """Writes finished lines to `stream`, for the module `name`."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name = name
        self._stream = stream

    def _write(self, line: str) -> None:
        with suppress(OSError, ValueError):  # a log that nobody takes any more ends no call
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = _write


@contextmanager
def in_call(call_id: str) -> Iterator[None]:
    """Mark every line logged inside, and in tasks begun inside, with `call_id`."""
    with structlog.contextvars.bound_contextvars(call_id=call_id):
        yield


def hide_credentials(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Put *** in place of passwords, hashes and keys."""
    for key in CREDENTIALS & event.keys():
        event[key] = "***"
    return event


def hide_words(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Put the mere length in place of what people said or keyed."""
    for key in WORDS & event.keys():
        value = event[key]
        size = len(value) if isinstance(value, str | list | tuple | dict) else 1
        event[key] = f"<{size} hidden>"
    return event


def keep_words(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Let through what people said or keyed: the operator asked for it."""
    return event


def _rendering(form: Form, stream: TextIO) -> list[structlog.typing.Processor]:
    if form == "console" or (form == "auto" and stream.isatty()):
        # Never rich's tracebacks, which are the default where it is installed: they print the
        # local variables of every frame, and with them passwords, digits and what was said.
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
