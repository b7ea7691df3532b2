import asyncio
import base64
import hashlib
import hmac
import json
import re
import time
from pathlib import Path

import pytest

from opensip.agent.definition import ToolTable
from opensip.agent.tools.webhook import close_shared, make, signature
from opensip.errors import ToolError
from tests.fakes.http_server import HttpServer

CALL = {"caller": "+1919", "call_id": "c-1"}


def ask(arguments, *, answer=None, path="/orders", **more):
    async def main():
        async with HttpServer(answer) as server:
            more.setdefault("parameters", {"number": "four digits", "way": ["air", "sea"]})
            table = ToolTable(url=server.url + path, description="Finds.", **more)
            tool = make("find", table)
            try:
                return await tool.run(arguments, CALL), server.requests, tool
            finally:
                await close_shared()

    return asyncio.run(main())


def test_arguments_go_as_json_signed_as_standard_webhooks_say():
    result, [request], tool = ask(
        {"number": "4217"}, answer=lambda *_: (200, b'{"item": "lamp"}'), secret="whsec_c2VjcmV0",
        bearer="token", optional=("way",), headers={"X-Shop": "1"},
    )  # fmt: skip
    method, path, headers, body = request
    assert result == {"item": "lamp"}
    assert (method, path) == ("POST", "/orders")
    assert json.loads(body) == {"tool": "find", "arguments": {"number": "4217"}, "call": CALL}
    assert (headers["authorization"], headers["x-shop"]) == ("Bearer token", "1")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.new(b"secret", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    assert tool.parameters["properties"]["way"] == {"type": "string", "enum": ["air", "sea"]}
    assert tool.parameters["required"] == ["number"]


def test_a_get_has_its_arguments_in_path_and_query():
    result, [request], _ = ask(
        {"number": "42/17", "way": "air"}, path="/orders/{number}", method="GET",
        answer=lambda *_: (200, b"on its way"),
    )  # fmt: skip
    assert result == "on its way"
    assert request[:2] == ("GET", "/orders/42%2F17?way=air")
    assert request[3] == b""


@pytest.mark.parametrize(
    "number", ["", ".", "..", "%2e%2E", "%252e.", "../../admin", "4\\..", "4%2F..%2F5"]
)
def test_no_argument_leads_to_another_path(number):
    told = "find: number is .*, which cannot stand in a path: give a value that is not empty"
    with pytest.raises(ToolError, match=told):
        ask({"number": number, "way": "air"}, path="/orders/{number}/cancel", method="GET")


@pytest.mark.parametrize(("number", "sent"), [("4..2", "4..2"), ("..", ".."), ("...", "...")])
def test_dots_that_lead_nowhere_are_taken(number, sent):
    path = "/orders?number={number}" if number == ".." else "/orders/{number}"
    _, [request], _ = ask({"number": number}, path=path, optional=("way",))
    assert request[1] == path.replace("{number}", sent)


def receiver():
    """Give the function that docs/agents.md shows to receivers."""
    text = (Path(__file__).parents[3] / "docs/agents.md").read_text(encoding="utf-8")
    [shown] = [code for code in re.findall(r"```python\n(.*?)```", text, re.S) if "hmac" in code]
    assert len([line for line in shown.splitlines() if line]) <= 10
    space = {}
    exec(shown, space)  # noqa: S102 - our own document
    return space["is_ours"]


@pytest.mark.parametrize("secret", ["whsec_c2VjcmV0", "plain words"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_receiver_checks_the_whole_request_as_the_document_shows(secret, method):
    _, [(sent, target, headers, body)], _ = ask(
        {"number": "42/17", "way": "air"}, path="/orders/{number}", method=method, secret=secret
    )
    is_ours = receiver()
    good = (secret, sent, target, headers, body)
    assert is_ours(*good)
    assert sent == method
    assert ("webhook-signature" in headers) is (method == "POST")
    later = str(int(headers["webhook-timestamp"]) + 1)
    for place, wrong in (
        (0, "whsec_AAAA"), (1, "DELETE"), (2, target.replace("42", "43")), (4, body + b" "),
        (3, headers | {"webhook-id": "1"}), (3, headers | {"webhook-timestamp": later}),
        (2, target + "?way=sea"), (3, headers | {"opensip-signature": "v1,AAAA"}),
    ):  # fmt: skip
        assert not is_ours(*good[:place], wrong, *good[place + 1 :])
    old = signature(secret, method, target, body, identity="1", at=int(time.time()) - 301)
    assert not is_ours(secret, method, target, old, body)
    two = headers | {"opensip-signature": f"v2,other {headers['opensip-signature']}"}
    assert is_ours(secret, method, target, two, body)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda *_: (500, b"oops"), "find: the server answered 500"),
        (lambda *_: (302, b""), "find: the server answered 302"),
        (lambda *_: None, "find: ReadTimeout"),
    ],
)
def test_what_goes_wrong_is_named(answer, told):
    with pytest.raises(ToolError, match=told):
        ask({"number": "1", "way": "sea"}, answer=answer, seconds=0.05)


def test_a_server_that_is_not_there_and_arguments_that_do_not_fit():
    async def main():
        tool = make(
            "find", ToolTable(url="http://127.0.0.1:9/", parameters={"n": {"type": "number"}})
        )
        try:
            await tool.run({"n": 1.5}, CALL)
        finally:
            await close_shared()

    with pytest.raises(ToolError, match="find: ConnectError"):
        asyncio.run(main())
    with pytest.raises(ToolError, match="find: number is missing; way is 'rail'"):
        ask({"way": "rail"})


def test_an_answer_that_is_nested_without_end_is_a_text():
    result, _, _ = ask({"number": "1", "way": "sea"}, answer=lambda *_: (200, b"[" * 60_000))
    assert result == "[" * 60_000


def test_of_a_huge_answer_the_beginning_is_read():
    result, _, _ = ask({"number": "1", "way": "sea"}, answer=lambda *_: (200, b"x" * 1_000_000))
    assert len(result) == 65_536


def test_without_a_secret_nothing_is_signed():
    assert signature("", "GET", "/", b"x", identity="1", at=0) == {}
    assert "opensip-signature" not in ask({"number": "1"}, optional=("way",))[1][0][2]
