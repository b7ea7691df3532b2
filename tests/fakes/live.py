"""A realtime provider that tells what a test lets it tell."""

import asyncio

from opensip.agent.health import Health

GOODBYE = object()


class FakeLive:
    """`tell` has it tell things; it keeps in `done` what it was asked to do."""

    def __init__(self, name="main", *, patience=2.5, ends_call=False, single_keys=False,
                 rate=8000, begin=(), first_sound=None):  # fmt: skip
        self.name, self.rate, self.patience = name, rate, patience
        self.first_sound = first_sound
        self.ends_call, self.single_keys = ends_call, single_keys
        self.health = Health()
        self.prompt = "p1"
        self.fails = []  # errors of the next connects
        self.begin_with = list(begin)
        self.openings, self.done, self.heard = [], [], 0
        self.connects = self.closes = 0
        self._told = asyncio.Queue()

    def tell(self, *told):
        for one in told:
            self._told.put_nowait(one)

    async def connect(self):
        self.connects += 1
        if self.fails:
            raise self.fails.pop(0)

    async def begin(self, opening):
        await self.connect()
        self.openings.append(opening)
        self.tell(*self.begin_with)

    def hear(self, samples):
        self.heard += len(samples)

    def press(self, keys):
        self.done.append(("press", keys))

    def reached(self, name):
        self.done.append(("reached", name))

    def cut(self, item, heard):
        self.done.append(("cut", item, round(heard, 2)))

    def give(self, call, result):
        self.done.append(("give", call.name, result))

    def note(self, text):
        self.done.append(("note", text))

    def go_on(self):
        self.done.append(("go on",))

    async def told(self):
        while (one := await self._told.get()) is not GOODBYE:
            if isinstance(one, Exception):
                raise one
            yield one

    async def close(self):
        self.closes += 1
