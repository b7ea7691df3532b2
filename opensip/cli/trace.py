"""`opensip trace`: the ladder of a call, from its journal."""

import shutil
import sys
from io import StringIO
from pathlib import Path

import click

from opensip.cli.check import data_of
from opensip.cli.files import names_file, read, write
from opensip.errors import ConfigError
from opensip.telemetry.ladder import Ladder, read_ladder
from opensip.telemetry.ladder_html import ladder_html
from opensip.telemetry.ladder_svg import ladder_svg
from opensip.telemetry.ladder_text import WIDTH, ladder_text

_SHOWN = 5  # journals that an error names
_COLOURS = {
    "request": "blue", "provisional": "yellow", "success": "green", "failure": "red",
    "told": "magenta", "media": "cyan", "fault": "red", "faint": "bright_black",
}  # fmt: skip


@click.command("trace")
@click.argument("call")
@click.option("--svg", type=click.Path(path_type=Path), help="Write the picture to a file.")
@click.option("--html", type=click.Path(path_type=Path),
              help="Write a page to a file: a click on an arrow unfolds its message.")  # fmt: skip
@click.option("--messages", is_flag=True, help="Print each message whole.")
@click.option("--hide-words", is_flag=True,
              help="Leave out what was said and keyed, and the text of messages.")  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), default=Path("config/opensip.toml"),
              show_default=True, help="The server's configuration.")  # fmt: skip
def command(
    *, call: str, svg: Path | None, html: Path | None, messages: bool, hide_words: bool,
    config: Path,
) -> None:  # fmt: skip
    """Print the ladder of a call: who told whom what, and when.

    CALL is a call id, the beginning of one, or the path of a journal. Credentials and keys are
    masked in the journal already. A running call is shown as far as it came.

    Example: opensip trace c-07454b --html call.html
    """
    path = journal_of(call, config)
    ladder = _read(path, words=not hide_words)
    for file, drawn in ((svg, ladder_svg), (html, ladder_html)):
        if file is not None:
            write(file, drawn(ladder))
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((WIDTH, 24)).columns if is_terminal else WIDTH
    drawing = ladder_text(ladder, width=width, paint=_paint, messages=messages)
    click.echo(drawing)  # which takes the colours out where it is no terminal


def journal_of(call: str, config: Path) -> Path:
    """Find the journal that a call id, its beginning or a path means; else ConfigError."""
    if names_file(call):
        return Path(call)
    folder = data_of(config) / "journals"
    paths = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime, reverse=True)
    found = [
        path for path in paths if path.stem.removeprefix("c-").startswith(call.removeprefix("c-"))
    ]
    match found:
        case [path]:
            return path
        case []:
            newest = f"; the newest are {_names(paths)}" if paths else ": there is none at all"
            newest += "; or another --config?"
            raise ConfigError(f"no journal of a call {call!r} in {folder}{newest}")
    raise ConfigError(f"{call!r} is the beginning of {len(found)} calls: {_names(found)}")


def _names(paths: list[Path]) -> str:
    return ", ".join(path.stem for path in paths[:_SHOWN]) + ", …" * (len(paths) > _SHOWN)


def _read(path: Path, *, words: bool) -> Ladder:
    text = read(path)
    try:
        return read_ladder(StringIO(text), words=words)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _paint(text: str, style: str) -> str:
    return click.style(text, fg=_COLOURS[style]) if style in _COLOURS else text
