"""`opensip recording`: play, export and erase what was recorded of a call."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from glob import escape
from pathlib import Path
from typing import IO

import click

from opensip.call.amend import amending
from opensip.call.journal import is_written
from opensip.errors import ConfigError, MediaError
from opensip.events import RecordingErased
from opensip.media.recording_convert import converted
from opensip.media.recordings import FORMS, UNFINISHED, Recording, Recordings
from opensip.settings.load import parse
from opensip.settings.schema import ServerTable
from opensip.settings.table import Mistakes, Reading, read

_SHOWN = 5  # recordings that an error names
_PLAYERS = (  # commands that play WAV from standard input
    "play -q -t wav -",
    "aplay -q -",
    "pw-play -",
    "ffplay -nodisp -autoexit -loglevel error -i -",
)

_config = click.option(
    "--config", type=click.Path(path_type=Path), default=Path("config/opensip.toml"),
    show_default=True, help="The server's configuration: it names data and keys.",
)  # fmt: skip


@click.group("recording")
def command() -> None:
    """Play, export or erase the recording of a call.

    CALL is a call id or the beginning of one. The caller is on the left, the agent on the right.

    Example: opensip recording export c-07454b call.flac
    """


@command.command("play")
@click.argument("call")
@click.option("--player", help="A command that plays WAV from its standard input.")
@_config
def play(*, call: str, player: str | None, config: Path) -> None:
    """Play a recording; decrypted, it touches no disk.

    Example: opensip recording play c-07454b
    """
    command = _command(player) if player is not None else []
    data, recordings, recording = _found(config, call)
    command = command or _player()
    if recording.sealed:  # told before a player starts
        recordings.keys.read(recording.call_id)
    goes_on = _goes_on(data, recordings, recording)
    try:
        playing = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - the user's own
    except OSError as error:
        raise ConfigError(f"{command[0]} cannot be run: {error.strerror}") from error
    with playing:
        assert playing.stdin is not None  # noqa: S101 - it was asked for
        with contextlib.suppress(BrokenPipeError), playing.stdin as pipe:  # it was stopped
            _pour(converted(recordings, recording, "wav"), pipe)
    _tell_cut(recording, goes_on=goes_on)
    if playing.returncode:
        raise ConfigError(
            f"{command[0]} failed with status {playing.returncode}: name another player with "
            "--player, or use opensip recording export"
        )


@command.command("export", short_help="Write a recording to a file that anybody can play.")
@click.argument("call")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@_config
def export(*, call: str, file: Path | None, config: Path) -> None:
    """Write a recording to a FILE that anybody can play: .wav, .flac or .opus.

    Without FILE it is CALL.wav here; "-" is WAV on standard output. An encrypted recording is
    decrypted: the file is yours to protect. What is there is not written over.

    Example: opensip recording export c-07454b call.flac
    """
    data, recordings, recording = _found(config, call)
    goes_on = _goes_on(data, recordings, recording)
    if file == Path("-"):
        _print(converted(recordings, recording, "wav"))
        _tell_cut(recording, goes_on=goes_on)
        return
    file = Path(f"{recording.call_id}.wav") if file is None else file
    form = file.suffix.removeprefix(".").lower()
    if form not in FORMS:
        raise click.UsageError(f"{file}: its name must end in one of .{', .'.join(FORMS)}")
    with _new(file) as out:
        _pour(converted(recordings, recording, form), out)
    click.echo(f"wrote {file}", err=True)
    _tell_cut(recording, goes_on=goes_on)


@command.command("erase", short_help="Erase a recording for good, its key first.")
@click.argument("call")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_config
def erase(*, call: str, yes: bool, config: Path) -> None:
    """Erase a recording for good: its key first, without which no copy can be read, then itself.

    Of one that was not encrypted the file alone is removed: the disk, and every backup, may keep
    what was in it. Journal and record stay, and say when it was erased.

    Example: opensip recording erase c-07454b --yes
    """
    data, recordings = _opened(config)
    call_id = _call_id(recordings, call)
    if not yes:
        try:
            click.confirm(f"Erase the recording of {call_id}?", abort=True, err=True)
        except click.Abort:
            way = "" if sys.stdin.isatty() else "; --yes erases without asking"
            click.echo(f"\nopensip: nothing was erased{way}", err=True)
            raise
    with amending(data, call_id) as note:
        gone = recordings.erase(call_id)
        note(RecordingErased(0.0))
    for path in gone:
        click.echo(f"erased {path}")


@command.command("list", short_help="List the recordings, the newest first.")
@_config
def list_(*, config: Path) -> None:
    """List the recordings, the newest first: call id, form, whether it is encrypted and whole.

    "in progress": its call goes on. "no key": an encrypted one that nobody can read any more.

    Example: opensip recording list
    """
    data, recordings = _opened(config)
    found = False
    for name in recordings.names():
        with contextlib.suppress(MediaError):  # a file of another kind, or erased meanwhile
            one = recordings.find(name)
            click.echo("  ".join([one.call_id, one.form, *_marks(data, recordings, one)]))
            found = True
    if not found:
        click.echo(f"opensip: no recordings in {recordings.folder}", err=True)


def _marks(data: Path, recordings: Recordings, one: Recording) -> Iterator[str]:
    if one.sealed:
        yield "encrypted"
        if not recordings.keys.path(one.call_id).exists():
            yield "no key: erased or lost"
    if _goes_on(data, recordings, one):
        yield "in progress"
    elif not one.whole:
        yield "cut off"


def _goes_on(data: Path, recordings: Recordings, one: Recording) -> bool:
    """Tell whether it is being written; one that is being packed has its journal locked too."""
    if one.form != "wav" or (one.sealed and one.whole):
        return False
    is_packed = any(recordings.folder.glob(f"{escape(one.call_id)}.*{UNFINISHED}"))
    return not is_packed and is_written(data / "journals" / f"{one.call_id}.jsonl")


def _opened(config: Path, *, keys: bool = False) -> tuple[Path, Recordings]:
    """Find the data directory of a configuration, and its master keys where they are needed."""
    reading = Reading(config)
    needed = ("data", "recording") if keys else ("data",)
    table = {key: value for key, value in parse(reading).items() if key in needed}
    server = read(ServerTable, table, reading)
    if server is None:
        raise Mistakes(reading.mistakes)
    return server.data, Recordings(server.data, server.recording.masters())


def _found(config: Path, call: str) -> tuple[Path, Recordings, Recording]:
    """Find one recording, and the keys where it is encrypted: else nobody need have them."""
    data, recordings = _opened(config)
    recording = recordings.find(_call_id(recordings, call))
    if recording.sealed:
        data, recordings = _opened(config, keys=True)
    return data, recordings, recording


def _call_id(recordings: Recordings, call: str) -> str:
    """Find the one call that has a recording and begins so; else ConfigError."""
    names = recordings.names()
    begun = call.removeprefix("c-")
    if names and not begun:  # nor is it the one that there may be: it could be erased
        raise ConfigError(f"{call!r} is the beginning of every call: say which, {_some(names)}")
    found = [name for name in names if name.removeprefix("c-").startswith(begun)]
    match [name for name in found if name == call] or found:
        case [name]:
            return name
        case []:
            newest = f"; the newest are {_some(names)}" if names else ": there is none at all"
            raise ConfigError(
                f"no recording of a call {call!r} in {recordings.folder}{newest}; "
                "or another --config?"
            )
    raise ConfigError(f"{call!r} is the beginning of {len(found)} calls: {_some(found)}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + ", …" * (len(names) > _SHOWN)


def _command(player: str) -> list[str]:
    try:
        words = shlex.split(player)
    except ValueError as error:
        raise click.UsageError(f"--player {player!r} is no command: {error}") from None
    if not words:
        raise click.UsageError("--player is empty: name a command that plays WAV")
    return words


def _player() -> list[str]:
    for command in map(str.split, _PLAYERS):
        if shutil.which(command[0]):
            return command
    known = ", ".join(command.split()[0] for command in _PLAYERS)
    raise ConfigError(f"there is no player here ({known}): install one (apt install sox), name one "
                      "with --player, or use opensip recording export")  # fmt: skip


@contextlib.contextmanager
def _new(file: Path) -> Iterator[IO[bytes]]:
    """Open a new file for its owner alone; one that cannot be finished is removed."""
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{file} is there already: name another file") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    try:
        with open(number, "wb") as out:
            yield out
    except OSError as error:
        file.unlink(missing_ok=True)
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _pour(pieces: Iterable[bytes], out: IO[bytes]) -> None:
    for piece in pieces:
        out.write(piece)


def _print(pieces: Iterable[bytes]) -> None:
    try:
        _pour(pieces, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # who reads has had enough
        raise
    except OSError as error:
        raise ConfigError(f"standard output cannot be written: {error.strerror}") from error


def _tell_cut(recording: Recording, *, goes_on: bool) -> None:
    if goes_on:
        click.echo(f"{recording.path.name} is in progress: this is what there was of it", err=True)
    elif not recording.whole:
        click.echo(f"{recording.path.name} was cut off: the end is missing", err=True)
