"""Secrets of a configuration: it names where they are, `env:NAME` or `file:PATH`, never them."""

import os
import stat
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
            return _from_file(_path(name, base))
        case _:
            raise ConfigError("a secret is written env:NAME or file:PATH, never in the file itself")


def exposure(reference: str, *, base: Path) -> str:
    """Say that others may read or change the file that `reference` names; "" where none may."""
    kind, _, name = reference.partition(":")
    if kind != "file":
        return ""
    path = _path(name, base)
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:  # whoever fetches it says so
        return ""
    if not mode & _OTHERS:
        return ""
    return (
        f"the secret file {path} is open to others than its owner (mode {mode:o}): chmod 600, and "
        "chown it to the user that opensip runs as"
    )


_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH


def _path(name: str, base: Path) -> Path:
    return base / Path(name).expanduser()


def _from_environment(name: str, environ: Mapping[str, str]) -> Secret:
    value = environ.get(name, "")
    if not value:
        raise ConfigError(f"the environment variable {name} is not set: export {name}=…")
    return Secret(value)


def _from_file(path: Path) -> Secret:
    try:
        value = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no secret file {path}: write the secret there, for its owner alone "
            "(chmod 600)"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the secret file {path} cannot be read: {error}") from error
    if not value:
        raise ConfigError(f"the secret file {path} is empty")
    return Secret(value)
