import pytest

from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from tests.fakes.certificates import authority, ec_pair, rsa_pair

__all__ = ["authority", "ec_pair", "rsa_pair"]


@pytest.fixture
def listeners(rsa_pair):
    tls = TlsConfig(rsa_pair.certificate, rsa_pair.key)
    return {
        "UDP": Listener("UDP", "127.0.0.1", 0),
        "TCP": Listener("TCP", "127.0.0.1", 0),
        "TLS": Listener("TLS", "127.0.0.1", 0, tls=tls),
    }
