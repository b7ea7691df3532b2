"""DTLS-SRTP (RFC 5763, RFC 5764): keys from a handshake beside RTP. The one door to pyOpenSSL.

aiortc's RTCDtlsTransport does the same, but through sockets, timers and an SRTP of its own; it
keeps the keys to itself and speaks with ECDSA certificates alone, where a carrier's is often RSA.
So we drive what it stands on, whose memory BIOs do no I/O, and meet aiortc as a peer in the tests.
"""

import datetime
import hashlib
import secrets
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL, crypto

from opensip.media.engine import SrtpKeys
from opensip.rtp.srtp import SUITES
from opensip.sdp.fingerprint import Fingerprint

MTU = 1200  # octets of a datagram: fits every path that RTP takes

# Profiles of RFC 5764 and RFC 7714 as OpenSSL names them, in our order, and the suites they are.
PROFILES = {
    "SRTP_AES128_CM_SHA1_80": "AES_CM_128_HMAC_SHA1_80",
    "SRTP_AEAD_AES_128_GCM": "AEAD_AES_128_GCM",
    "SRTP_AEAD_AES_256_GCM": "AEAD_AES_256_GCM",
}
# Security level 1 lets RSA of 1024 bits be: the fingerprint names the certificate, not its issuer.
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:@SECLEVEL=1"
_DTLS_1_2 = 0xFEFD
_EXPORTER = b"EXTRACTOR-dtls_srtp"  # RFC 5764 section 4.2
_RECORD_HEADER = 13  # octets: type, version, epoch, sequence, length (RFC 6347 section 4.1)
_LARGEST = 65536
_LONGEST = 1500  # octets of a datagram that is looked at, as on the port of RTP
_CLEAR = b"\0\0"  # the epoch of records before there are keys (RFC 6347 section 4.1)
_ALERT, _HANDSHAKE, _CLIENT_HELLO = 21, 22, 1


def is_client_hello(data: bytes) -> bool:
    """Tell whether a datagram begins a handshake: what is encrypted may look like it."""
    kinds = _HANDSHAKE, _CLIENT_HELLO
    clear = data[3:5] == _CLEAR
    return len(data) > _RECORD_HEADER and clear and (data[0], data[_RECORD_HEADER]) == kinds


class DtlsCertificate:
    """A certificate for one call: it cannot grow old, and nobody can tell by it who calls."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(8))])
        now = datetime.datetime.now(tz=datetime.UTC)
        made = x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(),
            now - datetime.timedelta(days=1), now + datetime.timedelta(days=30),
        ).sign(key, hashes.SHA256())  # fmt: skip
        self.fingerprint = Fingerprint("sha-256", made.fingerprint(hashes.SHA256()))
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.set_min_proto_version(_DTLS_1_2)
        # a resumed session would show no certificate to compare
        self.context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU)
        self.context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        self.context.set_cipher_list(_CIPHERS)
        self.context.use_certificate(made)
        self.context.use_privatekey(key)
        self.context.set_tlsext_use_srtp(":".join(PROFILES).encode())


class DtlsHandshake:
    """One handshake. Does no I/O: after each call send what `datagrams_to_send` returns.

    The peer's certificate must have one of `fingerprints`, or there is neither a handshake nor
    a key. `keys` is set once it is done; `refusal` where the peer is not who it said; `broken`
    where another handshake might do better. `dropped` counts what was not looked at.
    """

    def __init__(
        self,
        certificate: DtlsCertificate,
        fingerprints: tuple[Fingerprint, ...],
        *,
        is_client: bool,
    ) -> None:
        self.keys: SrtpKeys | None = None
        self.refusal = ""
        self.broken = ""
        self.dropped: dict[str, int] = {}
        self._fingerprints = fingerprints
        self._is_client = is_client
        self._connection = SSL.Connection(certificate.context, None)
        self._connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._verify)
        self._connection.set_ciphertext_mtu(MTU)
        if is_client:
            self._connection.set_connect_state()
            self._advance()
        else:
            self._connection.set_accept_state()

    def receive(self, datagram: bytes) -> None:
        """Take a datagram of the peer's.

        An alert before there are keys proves nothing, so it ends nothing: RFC 6347 section 4.1.2.7.
        """
        records = _records(datagram) if len(datagram) <= _LONGEST else None
        if records is None:
            self._drop("dtls_malformed")
            return
        for record in records:
            if record[0] == _ALERT and not self.keys and record[3:5] == b"\x00\x00":
                self._drop("dtls_alert")
            elif not self.refusal and not self.broken:
                self._connection.bio_write(record)
                self._advance()

    def datagrams_to_send(self) -> list[bytes]:
        """Take what is to be sent, in order, none longer than the MTU where records are not."""
        try:
            written = self._connection.bio_read(_LARGEST)
        except SSL.WantReadError:
            return []
        datagrams = [b""]
        for record in _records(written) or ():
            if datagrams[-1] and len(datagrams[-1]) + len(record) > MTU:
                datagrams.append(b"")
            datagrams[-1] += record
        return datagrams

    @property
    def timeout(self) -> float | None:
        """Seconds until `handle_timeout` is to be called, if ever."""
        return None if self.broken or self.refusal else self._connection.DTLSv1_get_timeout()

    def handle_timeout(self) -> None:
        """Send again what may be lost."""
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error as error:  # sent too often in vain
            self.broken = _why(error)

    def _advance(self) -> None:
        try:
            if self.keys is not None:  # the peer may have lost our last flight
                self._connection.recv(_LARGEST)
                return
            self._connection.do_handshake()
        except (SSL.WantReadError, SSL.ZeroReturnError):
            return
        except SSL.Error as error:
            if self.keys is None:  # what comes afterwards is no concern of SRTP
                self.broken = _why(error)
            return
        self._finish()

    def _finish(self) -> None:
        """Compare the certificate once more, for keys depend on it, and take them."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        profile = self._connection.get_selected_srtp_profile().decode()
        if certificate is None or not self._fits(certificate.public_bytes(Encoding.DER)):
            self._refuse()
        elif profile not in PROFILES:
            self.refusal = "the peer agreed to no SRTP profile of ours"
        else:
            self.keys = self._export(PROFILES[profile])

    def _export(self, name: str) -> SrtpKeys:
        """Take the keys as RFC 5764 section 4.2 lays them out: both keys, then both salts."""
        key, salt = SUITES[name].key_length, SUITES[name].salt_length
        block = self._connection.export_keying_material(_EXPORTER, 2 * (key + salt))
        client, server = (
            block[n * key : (n + 1) * key] + block[2 * key + n * salt : 2 * key + (n + 1) * salt]
            for n in range(2)
        )
        return SrtpKeys(name, *((client, server) if self._is_client else (server, client)))

    def _verify(
        self, connection: SSL.Connection, found: crypto.X509, error: int, depth: int, good: int
    ) -> bool:
        """Judge a certificate of the peer's: only its own counts, for it signs itself."""
        if depth == 0 and not self._fits(crypto.dump_certificate(crypto.FILETYPE_ASN1, found)):
            self._refuse()
        return not self.refusal

    def _fits(self, certificate: bytes) -> bool:
        return any(
            secrets.compare_digest(
                hashlib.new(f.algorithm.replace("-", ""), certificate).digest(), f.digest
            )
            for f in self._fingerprints
        )

    def _refuse(self) -> None:
        self.refusal = "the peer's certificate has another fingerprint than its SDP says"

    def _drop(self, why: str) -> None:
        self.dropped[why] = self.dropped.get(why, 0) + 1


def _records(data: bytes) -> list[bytes] | None:
    """Split a datagram into its records; None where they do not fill it."""

    def split() -> Iterator[bytes]:
        at = 0
        while at < len(data):
            end = at + _RECORD_HEADER + int.from_bytes(data[at + 11 : at + 13], "big")
            yield data[at:end]
            at = end

    records = list(split())
    whole = sum(_RECORD_HEADER + int.from_bytes(r[11:13], "big") for r in records) == len(data)
    return records if whole and all(20 <= r[0] <= 25 for r in records) else None


def _why(error: SSL.Error) -> str:
    """Tell the reason that OpenSSL gives last."""
    errors = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return str(errors[-1][-1]) if errors else "the handshake failed"
