"""Bandwidth: TLS 1.2 with RSA suites, SDES-keyed SRTP, User-to-User in base64."""

from opensip.carriers.carrier import Carrier

BANDWIDTH = Carrier("bandwidth", tls="bandwidth", srtp="required", profile="bandwidth")
