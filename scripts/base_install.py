"""Imports every module of an installed opensip, as the default install must allow."""

import importlib
import importlib.util
import pkgutil
import sys

import opensip

EXTRAS = ("pocketsphinx", "uvloop", "av", "onnxruntime", "OpenSSL")
DOORS = {  # of av and OpenSSL: loaded when used
    "opensip.audio.codecs.ffmpeg",
    "opensip.media.recording_pack",
    "opensip.media.dtls",
    "opensip.media.keying",
    "opensip.media.keying_pair",
}
NATIVE = {
    f"opensip.media.{name}" for name in ("engine_native", "native_ends", "native_stream", "outbox")
}


def main() -> int:
    """Import each module; an extra that is here would make the proof worthless."""
    present = [name for name in EXTRAS if importlib.util.find_spec(name)]
    if present:
        print(f"this is no base install: {', '.join(present)} can be imported", file=sys.stderr)
        return 1
    names = [m.name for m in pkgutil.walk_packages(opensip.__path__, "opensip.")]
    names.remove("opensip.__main__")  # importing it would run the command
    names = [name for name in names if name not in DOORS]
    if importlib.util.find_spec("opensip.media._engine") is None:  # there was no compiler
        names = [name for name in names if name not in NATIVE]
    for name in names:
        importlib.import_module(name)
    print(f"base install: {len(names)} modules import without an extra")
    return 0


if __name__ == "__main__":
    sys.exit(main())
