import pytest

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
