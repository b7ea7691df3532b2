"""A recognizer that tells words by itself, when a test lets it."""

from opensip.agent.providers import Heard, Understood


class FakeLive:
    """Hears everything and understands nothing but what `tell` is called with."""

    rate = 8000

    def __init__(self, *, punctuates=True, ends_turns=False):
        self.punctuates, self.ends_turns = punctuates, ends_turns
        self.fed = 0
        self.begun = 0
        self.finished = 0
        self._tell = lambda heard: None
        self.failed = lambda error: None

    def listen(self, tell, failed):
        self._tell, self.failed = tell, failed

    def tell(self, text, *, final=False, over=False):
        self._tell(Heard(text, final, over))

    def begin(self, expectation):
        self.begun += 1

    def feed(self, samples):
        self.fed += len(samples)

    async def finish(self):
        self.finished += 1
        return Understood("")

    async def close(self): ...


class FakePaced(FakeLive):
    """One that learns where a voice is; it keeps in `done` what it was told."""

    def __init__(self, **more):
        super().__init__(**more)
        self.done = []

    def pause(self):
        self.done.append("pause")

    def resume(self):
        self.done.append("resume")

    def forget(self):
        self.done.append("forget")
