"""What to paste at Bandwidth so that its calls come here: BXML and the Duet route."""

from xml.etree.ElementTree import Element, SubElement, tostring

from opensip.errors import ConfigError

_UUI_LIMIT = 256  # characters, the encoding parameter included, in Forward and SipUri
_TIMEOUTS = range(1, 301)  # seconds
_DIVERSIONS = ("none", "propagate", "stack")


def sip_uri(user: str, host: str, port: int = 5061) -> str:
    """Write the URI at which a trunk over TLS reaches us."""
    return f"sip:{user}@{host}:{port};transport=tls"


def forward(
    to: str, *, from_: str = "", uui: str = "", call_timeout: int = 30, diversion: str = "propagate"
) -> str:
    """Write the `<Forward>` of an unanswered call to the SIP URI or number `to`.

    Without `from_` Bandwidth shows the number that was called in place of the caller's.
    """
    _check(uui, call_timeout, diversion)
    response = Element("Response")
    attributes = {"to": to, "from": from_, "callTimeout": str(call_timeout)}
    attributes |= {"diversionTreatment": diversion, "uui": uui}
    SubElement(response, "Forward", {name: value for name, value in attributes.items() if value})
    return _document(response)


def transfer(
    to: str, *, caller_id: str = "", uui: str = "", call_timeout: int = 30, complete_url: str = ""
) -> str:
    """Write the `<Transfer><SipUri>` of an answered call to the SIP URI `to`."""
    _check(uui, call_timeout, "none")
    response = Element("Response")
    attributes = {"transferCallerId": caller_id, "callTimeout": str(call_timeout)}
    attributes |= {"transferCompleteUrl": complete_url}
    verb = SubElement(
        response, "Transfer", {name: value for name, value in attributes.items() if value}
    )
    SubElement(verb, "SipUri", {"uui": uui} if uui else {}).text = to
    return _document(response)


def duet_route(to: str, *, priority: int = 1, weight: int = 1) -> str:
    """Tell how a route of a trunk (Origination Route Plan of a Location) is set to `to`."""
    return (
        "In the Bandwidth dashboard: Account > Locations > (your location) > "
        "Origination routes > Add route\n"
        f"  Priority   {priority}\n"
        f"  Weight     {weight}\n"
        "  Type       SIP\n"
        f"  Endpoint   {to}\n"
    )


def _check(uui: str, call_timeout: int, diversion: str) -> None:
    if len(uui) > _UUI_LIMIT:
        raise ConfigError(f"uui has {len(uui)} characters: Bandwidth takes at most {_UUI_LIMIT}")
    if call_timeout not in _TIMEOUTS:
        raise ConfigError(f"callTimeout is {call_timeout}: Bandwidth takes 1 to 300 seconds")
    if diversion not in _DIVERSIONS:
        raise ConfigError(f"diversionTreatment is {diversion!r}: one of {', '.join(_DIVERSIONS)}")


def _document(root: Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"
