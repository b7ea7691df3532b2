"""The files that a command reads and writes: what fails is told by its name."""

from pathlib import Path

import click

from opensip.errors import ConfigError


def read(path: Path) -> str:
    """Read a file of UTF-8; octets that are none are replaced, an OSError becomes a ConfigError."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


def names_file(text: str) -> bool:
    """Tell whether a word is the path of a file: a call id has neither dot nor slash."""
    return Path(text).is_file() or "." in text or "/" in text


def write(path: Path, content: str) -> None:
    """Write a file, and say so on standard error; an OSError becomes a ConfigError."""
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {path}", err=True)
