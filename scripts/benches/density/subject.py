"""The subject of the density bench: `opensip serve`, its agent's providers being the bench's.

usage: subject.py CONFIG FOLDER local
       subject.py CONFIG FOLDER aiohttp|bare PORT
FOLDER holds the plan of the calls. `local` answers in this process, the others ask the fakes
(far_fakes.py) at PORT, over TLS WebSockets.
"""

import sys
from pathlib import Path

from opensip.agent.providers import PROVIDERS
from opensip.cli import main
from scripts.benches.density import near


def provide(folder: Path, words: list[str]) -> None:
    """Put the bench's providers into the table where agents find them."""
    near.begin(folder)
    module = "near"
    if words[0] != "local":
        from scripts.benches.density import far  # noqa: PLC0415 - aiohttp is none of the server's

        far.begin(folder, words[0], int(words[1]))
        module = "far"
    for stage in ("recognizer", "dialogue", "synthesizer"):
        PROVIDERS[stage]["bench"] = f"scripts.benches.density.{module}:make_{stage}"


if __name__ == "__main__":
    provide(Path(sys.argv[2]), sys.argv[3:])
    main(["serve", "--config", sys.argv[1]])
