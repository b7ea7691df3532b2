"""Secrets of a configuration: it names where they are, `env:NAME` or `file:PATH`, never them."""

import os
from collections.abc import Mapping
from pathlib import Path

from opensip.errors import ConfigError


class Secret(str):
    """A secret, fetched. Shows itself to nobody by accident."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"


def fetch(reference: str, *, base: Path, environ: Mapping[str, str] | None = None) -> Secret:
    """Fetch what `reference` names: `env:NAME`, or `file:PATH` (relative to `base`)."""
    kind, _, name = reference.partition(":")
    match kind:
        case "env" if name:
            return _from_environment(name, os.environ if environ is None else environ)
        case "file" if name:
            return _from_file(base / Path(name).expanduser())
        case _:
            raise ConfigError("a secret is written env:NAME or file:PATH, never in the file itself")


def _from_environment(name: str, environ: Mapping[str, str]) -> Secret:
    value = environ.get(name, "")
    if not value:
        raise ConfigError(f"the environment variable {name} is not set: export {name}=…")
    return Secret(value)


def _from_file(path: Path) -> Secret:
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the secret file {path} cannot be read: {error}") from error
    if not value:
        raise ConfigError(f"the secret file {path} is empty")
    return Secret(value)
