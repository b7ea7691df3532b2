import ssl
from datetime import UTC, datetime, timedelta

import pytest

from opensip.errors import ConfigError
from opensip.net.tls import TlsConfig, client_context, expires_at, server_context


def shake_hands(server, client, server_name="localhost"):
    """Shake hands in memory; return the suite and the version both agreed on."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname=server_name)
    done = set()
    while len(done) < 2:
        for side in (theirs, ours):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                pass
    return ours.cipher()[0], ours.version()


def config(pair, **more):
    return TlsConfig(pair.certificate, pair.key, **more)


def test_strict_profile_talks_tls_1_3(authority, ec_pair):
    client = client_context(TlsConfig(ca=authority.ca))
    assert shake_hands(server_context(config(ec_pair)), client, "127.0.0.1")[1] == "TLSv1.3"


@pytest.mark.parametrize("suite", ["AES128-SHA", "AES128-SHA256", "AES256-SHA256"])
def test_bandwidth_profile_shares_each_documented_suite(authority, rsa_pair, suite):
    client = client_context(TlsConfig(ca=authority.ca, profile="bandwidth"))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(suite)
    server = server_context(config(rsa_pair, profile="bandwidth"))
    assert shake_hands(server, client) == (suite, "TLSv1.2")


def test_strict_profile_refuses_rsa_key_exchange(authority, rsa_pair):
    client = client_context(TlsConfig(ca=authority.ca, profile="bandwidth"))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers("AES128-SHA")
    with pytest.raises(ssl.SSLError):
        shake_hands(server_context(config(rsa_pair)), client)


@pytest.mark.parametrize("profile", ["strict", "bandwidth"])
def test_only_the_bandwidth_profile_names_rsa_key_exchange(rsa_pair, profile):
    for context in (
        client_context(TlsConfig(profile=profile)),
        server_context(config(rsa_pair, profile=profile)),
    ):
        exchanges = {suite["kea"] for suite in context.get_ciphers()}
        assert ("kx-rsa" in exchanges) is (profile == "bandwidth")


def test_client_verifies_the_chain(ec_pair):
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(server_context(config(ec_pair)), client_context(TlsConfig()), "sip.example")


def test_server_can_ask_for_a_client_certificate(authority, ec_pair):
    server = server_context(config(ec_pair, ca=authority.ca, require_client_certificate=True))
    assert server.verify_mode is ssl.CERT_REQUIRED
    by_system = server_context(config(ec_pair, require_client_certificate=True))
    assert by_system.verify_mode is ssl.CERT_REQUIRED


def test_missing_certificate_is_named(tmp_path):
    missing = tmp_path / "sip.pem"
    with pytest.raises(ConfigError, match=r"sip\.pem: No such file.*scripts/certs"):
        server_context(TlsConfig(missing, missing))


def test_no_certificate_at_all():
    with pytest.raises(ConfigError, match="scripts/certs"):
        server_context(TlsConfig())


def test_missing_key_is_named(ec_pair, tmp_path):
    with pytest.raises(ConfigError, match=r"key .*absent\.key: No such file"):
        server_context(TlsConfig(ec_pair.certificate, tmp_path / "absent.key"))


def test_key_of_another_certificate(ec_pair, rsa_pair):
    with pytest.raises(ConfigError, match="do not go together"):
        server_context(TlsConfig(ec_pair.certificate, rsa_pair.key))


def test_garbage_in_place_of_a_certificate(tmp_path, ec_pair):
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("not a certificate")
    with pytest.raises(ConfigError, match=r"garbage\.pem"):
        server_context(TlsConfig(garbage, ec_pair.key, profile="bandwidth"))


def test_missing_authority_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"authority file .*ca\.pem: No such file"):
        client_context(TlsConfig(ca=tmp_path / "ca.pem"))


def test_bandwidth_accepts_rsa_only(ec_pair):
    with pytest.raises(ConfigError, match="no RSA key"):
        server_context(config(ec_pair, profile="bandwidth"))


def test_expiry(ec_pair):
    assert timedelta(0) < expires_at(ec_pair.certificate) - datetime.now(UTC) <= timedelta(days=1)
