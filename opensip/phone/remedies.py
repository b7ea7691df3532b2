"""What to try where a call of a phone was refused."""

from opensip.net.resolver import DEFAULT_PORT, transport_of
from opensip.sip.uri import Uri


def remedy(status: int, to: Uri, *, rang: bool, gave_password: bool) -> str:
    """Say what to try after the final `status` of a call to `to`; "" where that says enough.

    `rang` tells whether anything at all came before it.
    """
    transport = transport_of(to)
    match status:
        case 401 | 407 if gave_password:
            return "user or password is wrong: see --user and --password, or --realm is another"
        case 401 | 407:
            return "a password is wanted: --user NAME --password env:NAME or file:PATH"
        case 408 if not rang and transport == "UDP":
            where = f"{to.host}:{to.port or DEFAULT_PORT[transport]}"
            return (
                f"nothing answers on UDP {where}: does it listen there, and admit us? "
                "Or try ;transport=tcp or ;transport=tls"
            )
    return ""
