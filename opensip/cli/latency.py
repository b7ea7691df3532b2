"""`opensip latency`: where the time of answers went."""

import json
import sys
from pathlib import Path

import click

from opensip.call.record import Record, derive
from opensip.cli.check import counted, data_of
from opensip.cli.files import names_file, read, write
from opensip.cli.trace import journal_of
from opensip.errors import ConfigError
from opensip.telemetry.latency import Turn, bars, latency_svg, reasons, summary, turns_of

_WIDTH = 50  # characters of the longest bar
_COLOURS = ("white", "blue", "magenta", "green", "yellow")


@click.command("latency")
@click.argument("what", metavar="RECORD|FOLDER|CALL")
@click.option("--svg", type=click.Path(path_type=Path), help="Write the bars to a file.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each answer.")
@click.option("--config", type=click.Path(path_type=Path), default=Path("config/opensip.toml"),
              show_default=True, help="The server's configuration, for a call id.")  # fmt: skip
def command(*, what: str, svg: Path | None, as_json: bool, config: Path) -> None:
    """Tell where the time of each answer went, from the caller's last sound to the agent's first.

    Of a record, a journal or a call id each answer is drawn as a stacked bar; of a folder of
    records (data/calls) only the percentiles are told. Stages: endpointing (deciding that the
    turn was over), recognizer, dialogue (to the first clause), synthesizer (to the first sound)
    and playout (to the first packet).

    Example: opensip latency data/calls
    """
    records = _records(what, config)
    turns = [turn for path, record in records for turn in _turns(path, record)]
    if not turns:
        raise ConfigError(f"{what} tells of no answer to a caller's turn")
    if svg is not None:
        write(svg, latency_svg(turns))
    if as_json:
        for turn in turns:
            click.echo(json.dumps(_plain(turn)))
        return
    if not Path(what).is_dir():
        for line in bars(turns, width=_WIDTH, paint=_paint):
            click.echo(line)
        click.echo()
    supposed = sum(turn.supposed for turn in turns)
    told = f"{counted(len(turns), 'answer')} in {counted(len(records), 'call')}"
    click.echo(f"{told}, {supposed} of them begun early")
    for line in (*summary(turns), "turns ended by", *reasons(turns)):
        click.echo(line)


def _records(what: str, config: Path) -> list[tuple[Path, Record]]:
    path = Path(what)
    if path.is_dir():
        found = [(file, _read(file)) for file in sorted(path.glob("*.json"))]
        if not found:
            raise ConfigError(f"{path} holds no records: they are in calls/ of the data directory")
        return found
    if not names_file(what):
        record = data_of(config) / "calls" / f"{what}.json"
        path = record if record.is_file() else journal_of(what, config)
    return [(path, _read(path))]


def _turns(path: Path, record: Record) -> list[Turn]:
    try:
        return list(turns_of(record))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: its turns have a strange shape: {error!r}") from error


def _read(path: Path) -> Record:
    text = read(path)
    try:
        record = derive(text.splitlines()) if path.suffix == ".jsonl" else json.loads(text)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is neither a record nor a journal of a call") from error
    if not isinstance(record, dict):
        raise ConfigError(f"{path} is no record of a call: it holds no JSON object")
    return record


def _plain(turn: Turn) -> dict[str, object]:
    return {name: getattr(turn, name) for name in turn.__slots__}


def _paint(text: str, stage: int) -> str:
    return click.style(text, fg=_COLOURS[stage]) if sys.stdout.isatty() else text
