from tests.fakes.certificates import authority, ec_pair, rsa_pair

__all__ = ["authority", "ec_pair", "rsa_pair"]
