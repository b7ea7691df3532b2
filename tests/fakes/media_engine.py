"""A media engine without sockets: keeps what it was told, and says what a test tells it."""

from opensip.media.engine import Batch
from opensip.media.ports import PortPair


class FakeStream:
    def __init__(self, config):
        self.configs = [config]
        self.listener = lambda batch: None
        self.keep_said = self.deaf = False
        self.rate = 8000
        self.last_received = self.last_report = None
        self.digits_sent = []
        self.beside = []
        self.closed = False
        self.counters = {"received": 0, "sent": 0}

    @property
    def config(self):
        return self.configs[-1]

    def configure(self, config):
        self.configs.append(config)

    def hear(self, frame=None, **more):
        """Give the listener a batch."""
        at = frame.at + frame.seconds if frame else more.pop("at", 0.0)
        self.listener(Batch(at, more.pop("seconds", 0.1), frame, **more))

    async def send_digit(self, digit):
        self.digits_sent.append(digit)

    def send_beside(self, datagram, to):
        self.beside.append((datagram, to))

    def expect_beside(self, sources):
        self.expected = sources

    def statistics(self):
        return self.counters

    def close(self):
        self.closed = True


class FakeEngine:
    def __init__(self, loop):
        self.now = loop.time
        self.streams = []

    def open(self, ports, config):
        self.streams.append(FakeStream(config))
        return self.streams[-1]


class FakeSocket:
    def __init__(self, address):
        self._address = address

    def getsockname(self):
        return self._address

    def close(self):
        pass


class FakePorts:
    def __init__(self, address="127.0.0.1", port=20000):
        self._address, self._port = address, port

    def take(self, address=""):
        address = address or self._address
        rtp = FakeSocket((address, self._port))
        return PortPair(rtp, FakeSocket((address, self._port + 1)), lambda kept: None)
