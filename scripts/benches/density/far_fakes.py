"""The fakes of the density bench behind TLS WebSockets, in a process of their own.

usage: far_fakes.py FOLDER
FOLDER holds the plan of the calls and the certificate. Prints its port; serves until its standard
input ends. /hear takes audio (linear, 16 bit, 8 kHz) and tells words as JSON; /think takes a number
of a question and gives the answer; /speak takes "number text" and gives audio, each piece behind
two octets of the number, and the number alone at the end.
"""

import asyncio
import json
import ssl
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from opensip.agent.providers import Heard
from scripts.benches.density.plan import ANSWER, Plan, load
from scripts.benches.talk.fakes import FIRST_TOKEN, LiveFake, VoiceFake


async def hear(connection: ServerConnection, plan: Plan) -> None:
    """Tell words."""
    waiting: asyncio.Queue[str] = asyncio.Queue()

    def tell(heard: Heard) -> None:
        told = json.dumps([heard.text, heard.final, heard.over])
        waiting.put_nowait(told)

    async def send() -> None:
        with suppress(ConnectionClosed):
            while True:
                await connection.send(await waiting.get())

    fake = LiveFake(plan.told, ends_turns=True)
    fake.listen(tell, lambda error: None)
    sending = asyncio.create_task(send())
    try:
        async for message in connection:
            fake.feed(np.frombuffer(message, np.int16))
    finally:
        sending.cancel()


async def think(connection: ServerConnection) -> None:
    """Answer."""
    async for question in connection:
        await asyncio.sleep(FIRST_TOKEN)
        await connection.send(f"{question} {ANSWER}")


async def speak(connection: ServerConnection) -> None:
    """Speak."""
    fake = VoiceFake()
    async for message in connection:
        number, _, text = message.partition(" ")
        async for piece in fake.speak(text):
            await connection.send(int(number).to_bytes(2, "big") + piece.tobytes())
        await connection.send(number)


async def main(folder: Path) -> None:
    """Serve."""
    plan = load(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")

    async def answer(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):  # the calls are over
            match connection.request.path:
                case "/hear":
                    await hear(connection, plan)
                case "/think":
                    await think(connection)
                case _:
                    await speak(connection)

    async with serve(answer, "127.0.0.1", 0, ssl=context, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
