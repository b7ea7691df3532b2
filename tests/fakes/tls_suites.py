"""The versions and suites of TLS that are tried with foreign peers."""

import ssl

import pytest

RSA_SUITES = ("AES128-SHA", "AES128-SHA256", "AES256-SHA256")  # of Bandwidth's trunks
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
versions = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)


def limited(context: ssl.SSLContext, suite: str) -> ssl.SSLContext:
    """Let a context speak one suite of TLS 1.2 and nothing else."""
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    return context
