import asyncio
import io
import json
import logging

import pytest
import structlog

from opensip import log


@pytest.fixture
def lines():
    """Collect what is logged, and leave the logging of other tests as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    yield stream
    root.handlers, _ = handlers, root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def logged(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_json_object_a_line(lines):
    log.configure(stream=lines)
    structlog.get_logger("opensip.ua").info("call_admitted", trunk="bandwidth")
    [line] = logged(lines)
    assert line["event"] == "call_admitted"
    assert line["level"] == "info"
    assert line["logger"] == "opensip.ua"
    assert line["trunk"] == "bandwidth"
    assert line["timestamp"].endswith("Z")


def test_the_call_id_follows_into_tasks(lines):
    log.configure(stream=lines)

    async def part():
        structlog.get_logger("opensip.call").info("part_ended")

    async def call():
        with log.in_call("c-1"):
            task = asyncio.create_task(part())
        structlog.get_logger("opensip.call").info("between_calls")
        await task

    asyncio.run(call())
    assert [line.get("call_id") for line in logged(lines)] == [None, "c-1"]


def test_words_and_credentials_are_hidden(lines):
    log.configure(stream=lines)
    structlog.get_logger("x").info("caller_spoke", text="my name", digits=[1, 2], password="pw")
    [line] = logged(lines)
    assert (line["text"], line["digits"], line["password"]) == ("<7 hidden>", "<2 hidden>", "***")
    assert "my name" not in lines.getvalue()


def test_words_show_when_asked_for_but_credentials_never(lines):
    log.configure(stream=lines, transcripts=True)
    structlog.get_logger("x").info("caller_spoke", text="my name", digit="5", password="pw")
    [line] = logged(lines)
    assert (line["text"], line["digit"], line["password"]) == ("my name", "5", "***")


def test_level_is_kept(lines):
    log.configure(stream=lines, level="warning")
    structlog.get_logger("x").info("quiet")
    structlog.get_logger("x").warning("loud")
    assert [line["event"] for line in logged(lines)] == ["loud"]


def test_what_libraries_log_takes_the_same_form(lines):
    log.configure(stream=lines)
    logging.getLogger("asyncio").error("a task failed")
    [line] = logged(lines)
    assert (line["event"], line["logger"], line["level"]) == ("a task failed", "asyncio", "error")


def test_console_form(lines):
    log.configure(stream=lines, form="console")
    structlog.get_logger("x").info("call_admitted", trunk="bandwidth")
    assert "call_admitted" in lines.getvalue()
    assert "trunk=bandwidth" in lines.getvalue()
    assert not lines.getvalue().startswith("{")


def test_a_failure_carries_its_traceback(lines):
    log.configure(stream=lines)
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("x").exception("call_failed")
    [line] = logged(lines)
    assert "ValueError: broken" in line["exception"]


def test_a_traceback_on_a_terminal_holds_no_local_variables(lines):
    log.configure(stream=lines, form="console")
    try:
        password = "a secret " + "word"
        raise ValueError(f"{len(password)} characters are too few")
    except ValueError:
        structlog.get_logger("x").exception("call_failed")
    assert "ValueError: 13 characters" in lines.getvalue()
    assert "a secret word" not in lines.getvalue()


def test_a_log_that_cannot_be_written_raises_nothing(lines):
    stream = io.StringIO()
    log.configure(stream=stream)
    stream.close()
    structlog.get_logger("x").warning("call_ended")


def test_clients_of_services_log_no_requests(lines):
    log.configure(stream=lines, level="debug")
    for name in log.TALKATIVE:
        logging.getLogger(f"{name}._client").debug("body: what a caller said")
        logging.getLogger(name).info("POST …")
        logging.getLogger(name).warning("strange")
    assert [line["event"] for line in logged(lines)] == ["strange"] * len(log.TALKATIVE)
