"""HTTP webhooks as tools: the one door to the HTTP client.

The arguments go as JSON, `{"tool", "arguments", "call"}`, or into the query of a GET; {name} in
the URL is replaced by the argument of that name. With a `secret` a request is signed as a whole
(opensip-signature: id, time, method, path with query, body), and its body as Standard Webhooks say
(webhook-id, webhook-timestamp, webhook-signature).
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

import httpx2

from opensip.agent.clients import PerLoop
from opensip.agent.definition import ToolTable
from opensip.agent.tools import Arguments, Tool, fitting, schema
from opensip.errors import ToolError

VERSION = "opensip-v1"  # of what is signed: its first line, so that no other scheme fits it
_LARGEST = 65_536  # octets of an answer that are read; a model is given less
_PLACE = re.compile(r"\{(\w+)\}")
_QUERY = re.compile(r"[?#]")  # where the path of a URL ends
_SLASH = re.compile(r"[/\\]")
_DECODINGS = 4  # of an argument: more servers in a row than anybody has
_SHOWN = 40  # characters of an argument that was refused

_clients = PerLoop(
    lambda _: httpx2.AsyncClient(follow_redirects=False), lambda client: client.aclose()
)


def make(name: str, table: ToolTable) -> Tool:
    """Make the tool of a webhook's table."""
    parameters = schema(
        {key: _property(value) for key, value in table.parameters.items()},
        tuple(key for key in table.parameters if key not in table.optional),
    )

    async def run(arguments: Arguments, variables: Mapping[str, str]) -> Any:
        return await _ask(name, table, fitting(name, arguments, parameters), variables)

    return Tool(
        name,
        table.description,
        parameters,
        run,
        seconds=table.seconds,
        changes=table.changes or table.confirm,
        confirm=table.confirm,
        confirm_text=table.confirm_text,
    )


async def close_shared() -> None:
    """Close the running loop's connections."""
    await _clients.close()


def _property(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"type": "string", "enum": value}
    return {"type": "string", "description": value} if isinstance(value, str) else dict(value)


async def _ask(
    name: str, table: ToolTable, arguments: dict[str, Any], variables: Mapping[str, str]
) -> Any:
    placed = set(_PLACE.findall(table.url))
    url = _url(name, table.url, arguments)
    query, body = None, b""
    if table.method == "GET":
        query = {key: str(value) for key, value in arguments.items() if key not in placed}
    else:
        told = {"tool": name, "arguments": arguments, "call": dict(variables)}
        body = json.dumps(told, ensure_ascii=False).encode(errors="replace")
    headers = {"Content-Type": "application/json"} if body else {}
    headers |= dict(table.headers)
    headers |= {"Authorization": f"Bearer {table.bearer}"} if table.bearer else {}
    client = _clients.get("")
    try:
        request = client.build_request(
            table.method, url, params=query or None, content=body or None, headers=headers,
            timeout=table.seconds,
        )  # fmt: skip
        request.headers.update(
            signature(
                *(table.secret, table.method, request.url.raw_path.decode("ascii"), body),
                identity=secrets.token_hex(8), at=int(time.time()),
            )
        )  # fmt: skip
        response = await client.send(request, stream=True)
        try:
            return await _answer(name, response)
        finally:
            await response.aclose()
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ToolError(f"{name}: {type(error).__name__} {error}".strip()) from error


def _url(name: str, template: str, arguments: Arguments) -> str:
    """Put arguments in their places. Raises ToolError for one that would lead to another path."""
    query = _QUERY.search(template)
    path = query.start() if query else len(template)

    def placed(found: re.Match[str]) -> str:
        value = str(arguments.get(found[1], ""))
        if found.start() < path and _leads_away(value):
            raise ToolError(
                f"{name}: {found[1]} is {value[:_SHOWN]!r}, which cannot stand in a path: give"
                " a value that is not empty and has no part '.' or '..'"
            )
        return quote(value, safe="")

    return _PLACE.sub(placed, template)


def _leads_away(value: str) -> bool:
    """Tell whether a server that resolves dots (RFC 3986 section 5.2.4) may leave the path.

    Some servers decode first, some of them more than once: then "%2F" parts a path as well.
    """
    for _ in range(_DECODINGS):
        value = unquote(value)
    return not value or any(part in (".", "..") for part in _SLASH.split(value))


def key_of(secret: str) -> bytes:
    """Give the key of a secret, base64 after "whsec_". Raises ValueError where that is none."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    return base64.b64decode(secret[6:], validate=True)


def signature(
    secret: str, method: str, target: str, body: bytes, *, identity: str, at: int
) -> dict[str, str]:
    """Write the headers that sign a request; none without a secret.

    `target` is the path with the query, as in the request's first line. What Standard Webhooks
    sign is the body alone: that is left out where there is none, for it would fit any request.
    """
    if not secret:
        return {}
    lines = (VERSION, identity, str(at), method, target, "")
    whole = _signed(secret, "\n".join(lines).encode() + body)
    headers = {"webhook-id": identity, "webhook-timestamp": str(at), "opensip-signature": whole}
    if body:
        headers["webhook-signature"] = _signed(secret, f"{identity}.{at}.".encode() + body)
    return headers


def _signed(secret: str, data: bytes) -> str:
    mac = hmac.new(key_of(secret), data, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mac).decode()}"


async def _answer(name: str, response: httpx2.Response) -> Any:
    data = b""
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > _LARGEST:
            break
    if not response.is_success:
        raise ToolError(f"{name}: the server answered {response.status_code}")
    text = data[:_LARGEST].decode(errors="replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # the latter: what is nested without end
        return text
