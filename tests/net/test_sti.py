import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import ConfigError, RemoteProtocolError
from opensip.net.sti import MAX_CHAIN, Anchors, Range, anchors
from tests.fakes.stir import StirAuthority, der, number, numbers, pem, provider, signer, stir

__all__ = ["signer", "stir"]

NOW = datetime.now(UTC)


def read(stir, shown, *, now=NOW):
    return Anchors(stir.pem).signer(getattr(shown, "chain", shown), now=now)


def refusal(stir, shown, *, now=NOW):
    with pytest.raises(RemoteProtocolError) as caught:
        read(stir, shown, now=now)
    assert caught.value.sip_status == 437
    return str(caught.value)


def test_a_provider_may_sign_for_any_number(stir, signer):
    found = read(stir, signer)
    assert (found.providers, found.ranges) == (("1234",), ())
    assert found.may_sign_for("15551112222")


def test_a_chain_may_lead_over_an_authority_between(stir):
    assert read(stir, stir.signer(through=True)).providers == ("1234",)


def test_a_certificate_alone_may_be_in_der(stir, signer):
    der_form = signer.certificate.public_bytes(serialization.Encoding.DER)
    assert read(stir, der_form).providers == ("1234",)


def test_a_range_holds_its_numbers_and_no_others(stir):
    found = read(stir, stir.signer(numbers("15551112200", 50), number("4921154591991")))
    assert found.ranges == (Range("15551112200", 50), Range("4921154591991", 1))
    assert found.may_sign_for("15551112200")
    assert found.may_sign_for("15551112249")
    assert found.may_sign_for("4921154591991")
    assert not found.may_sign_for("15551112250")
    assert not found.may_sign_for("15551112199")
    assert not found.may_sign_for("1555111220")
    assert not found.may_sign_for("sip:alice@example.com")


def test_a_short_code_is_held_by_its_name_alone():
    assert Range("*67", 1).holds("*67")
    assert not Range("*67", 5).holds("*68")


@given(st.integers(10**9, 10**10 - 101), st.integers(1, 100), st.integers(-200, 200))
def test_a_range_is_counted_from_its_first(first, count, step):
    assert Range(str(first), count).holds(str(first + step)) == (0 <= step < count)


def test_signatures_of_the_signer_and_of_others(stir, signer):
    found, other = read(stir, signer), read(stir, stir.signer())
    r_and_s = _octets(signer.signature(b"a.b"))
    assert found.signed(b"a.b", r_and_s)
    assert not found.signed(b"a.c", r_and_s)
    assert not other.signed(b"a.b", r_and_s)
    assert not found.signed(b"a.b", bytes(64))
    assert not found.signed(b"a.b", b"\xff" * 64)


def _octets(text):
    return base64.urlsafe_b64decode(text + "==")


def test_who_is_signed_by_other_roots_is_not_trusted(stir):
    assert "not trusted" in refusal(stir, StirAuthority("STI other root").signer())
    assert "not trusted" in refusal(stir, StirAuthority().signer())  # of the same name


def test_certificates_have_their_time(stir, signer):
    assert "expired" in refusal(stir, signer, now=NOW + timedelta(days=2))
    assert "not valid yet" in refusal(stir, signer, now=NOW - timedelta(days=2))


@pytest.mark.parametrize("curve", [ec.SECP384R1])
def test_keys_are_of_p_256(stir, curve):
    assert "P-256" in refusal(stir, stir.signer(curve=curve))


@pytest.mark.parametrize(
    "octets",
    [
        b"",  # none at all
        b"\x00",
        der(0x31, provider("1")),
        der(0x30, der(0xA3, b"")),
        der(0x30, der(0xA0, der(0x0C, b"1"))),
        der(0x30, provider("1"))[:-1],
        der(0x30, provider("1")) + b"\x00",
        der(0x30, der(0xA0, der(0x16, b"\xff"))),
        der(0x30, der(0xA1, der(0x30, der(0x16, b"1")))),
    ],
)
def test_certificates_that_are_not_for_telephone_numbers(stir, octets):
    assert "telephone numbers" in refusal(stir, stir.signer(octets=octets))


def test_a_long_list_is_read(stir):
    entries = [number(str(10**10 + n)) for n in range(200)]
    assert len(read(stir, stir.signer(*entries)).ranges) == 200


def test_a_list_of_nobody_is_for_nobody(stir):
    assert not read(stir, stir.signer(octets=der(0x30, b""))).may_sign_for("1")


def test_what_is_no_certificate_is_refused(stir):
    for octets in (b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"):
        assert "cannot be read" in refusal(stir, octets)


def test_a_version_of_certificates_that_is_none_is_refused(stir, signer):
    octets = signer.certificate.public_bytes(serialization.Encoding.DER)
    changed = octets.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1)
    assert changed != octets
    assert "cannot be read" in refusal(stir, changed)


def test_a_chain_has_an_end(stir, signer):
    assert "at most" in refusal(stir, pem(signer.certificate) * (MAX_CHAIN + 1))


@given(st.data())
def test_whatever_is_shown_is_trusted_or_refused(stir, signer, data):
    octets = bytearray(signer.certificate.public_bytes(serialization.Encoding.DER))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        Anchors(stir.pem).signer(bytes(octets), now=NOW)
    except RemoteProtocolError as error:
        refused = error
    else:
        refused = RemoteProtocolError("", sip_status=437)  # nothing was changed
    assert refused.sip_status == 437


def test_roots_are_read_from_a_file(tmp_path, stir, signer):
    file = tmp_path / "roots.pem"
    file.write_bytes(stir.pem + StirAuthority("STI other root").pem)
    assert anchors(file).signer(signer.chain, now=NOW).providers


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_roots_that_cannot_be_used_are_named(tmp_path, content):
    file = tmp_path / "roots.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"roots in .*roots\.pem: .* wants certificates in PEM"):
        anchors(file)
