"""Whom a caller may be passed to: an agent names an entry, this policy decides."""

import re
from collections.abc import Mapping

from opensip.call.emergency import is_emergency
from opensip.carriers.number import normalise
from opensip.errors import NotAllowed
from opensip.sip.uri import Uri


def target_of(name: str, directory: Mapping[str, str], *, country: str, host: str) -> str:
    """Give the URI behind the entry `name`, or raise NotAllowed.

    An entry is a sip:, sips: or tel: URI, or a number, which is reached at `host`. What the
    directory does not name, and what could reach emergency services, is refused.
    """
    target = directory.get(name)
    if target is None:
        raise NotAllowed(f"the directory has no entry {name!r}")
    if is_emergency(target, country):
        raise NotAllowed(f"directory entry {name!r} is an emergency number")
    if re.match(r"(?i)(sips?|tel):", target):
        return target
    number = normalise(target, country)
    if not number.startswith("+"):
        raise NotAllowed(f"directory entry {name!r} is neither a URI nor a number: {target!r}")
    return f"sip:{number}@{host};user=phone"


def is_number(uri: Uri) -> bool:
    """Tell whether a URI stands for a telephone number (RFC 3261 section 19.1.6)."""
    return uri.scheme == "tel" or uri.params.get("user") == "phone"


def is_over_tls(uri: Uri) -> bool:
    """Tell whether a URI asks to be reached over TLS."""
    return uri.is_secure or uri.transport == "tls"
