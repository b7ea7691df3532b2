import pytest

from opensip.net.sip_transport import Listener
from opensip.net.tls import TlsConfig
from tests.fakes.certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def rsa_pair(authority):
    return authority.sign("localhost", "127.0.0.1", rsa_key=True)


@pytest.fixture(scope="session")
def ec_pair(authority):
    return authority.sign("sip.example", "127.0.0.1")


@pytest.fixture
def listeners(rsa_pair):
    tls = TlsConfig(rsa_pair.certificate, rsa_pair.key)
    return {
        "UDP": Listener("UDP", "127.0.0.1", 0),
        "TCP": Listener("TCP", "127.0.0.1", 0),
        "TLS": Listener("TLS", "127.0.0.1", 0, tls=tls),
    }
