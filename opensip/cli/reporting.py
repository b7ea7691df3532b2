"""How a phone's report reaches the terminal: readable lines, or one JSON object a line."""

import json
import time

import click

from opensip.phone.caller import Report

_LISTS = ("transcript",)  # shown a line an item


def reporting(*, as_json: bool) -> Report:
    """Make what prints reports on standard output, at once."""
    return _print_json if as_json else _print_text


def _print_json(what: str, **details: object) -> None:
    click.echo(json.dumps({"time": time.time(), "what": what, **details}, ensure_ascii=False))


def _print_text(what: str, **details: object) -> None:
    shown = "  ".join(f"{k}={v}" for k, v in details.items() if k not in _LISTS and v)
    click.echo(f"{time.strftime('%H:%M:%S')}  {what.replace('_', ' '):16}  {shown}".rstrip())
    for name in _LISTS:
        lines = details.get(name)
        for line in lines if isinstance(lines, list) else ():
            click.echo(f"          | {line}")
