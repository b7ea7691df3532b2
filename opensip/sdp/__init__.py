"""Pure session description: RFC 8866, offer and answer of RFC 3264, SDES keys of RFC 4568."""
