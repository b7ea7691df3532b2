"""What is known of a carrier: the defaults that its trunks start from."""

from dataclasses import dataclass

from opensip.carriers.trunk import ContextForm, Srtp
from opensip.net.tls import Profile


@dataclass(frozen=True, slots=True)
class Carrier:
    """Defaults of a carrier's trunks: TLS profile, SRTP, form of hand-over context, codecs."""

    name: str
    tls: Profile = "strict"
    srtp: Srtp = "preferred"
    profile: ContextForm = "generic"
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    port: int = 5061  # of its calls to us, over TLS
