"""An Identity header is read, or refused with 436, 437 or 438, and nothing else.

What was read is about somebody and for somebody, at a time, with a signature of its length. An
input is a header as it stands, or parameters, JOSE header and claims on a line each.
"""

import base64

from opensip.errors import RemoteProtocolError
from opensip.sip.passport import (
    SIGNATURE,
    IdentityField,
    Party,
    Passport,
    canonical,
    signing_input_of,
)
from tests.fuzz.target import MAX_INPUT, Fault, Target

_SIGNED = b"A" * 85 + b"Q"
_NUMBER = Party("tn", "15551112222")


def one_input(data: bytes) -> None:
    lines = data.split(b"\n", 2)
    text = _header(*lines) if len(lines) == 3 else data
    status, field, read = _read(text.decode("utf-8", "surrogateescape"))
    if field is None or read is None:
        assert status in {436, 437, 438}
        return
    assert read.iat >= 0
    assert read.dest
    assert len(read.signature) == SIGNATURE
    assert read.x5u == field.info
    assert (read.attest in {"A", "B", "C"}) == (field.ppt == "shaken")


def _read(text: str) -> tuple[int, IdentityField | None, Passport | None]:
    field = None
    try:
        field = IdentityField.parse(text)
        if field.is_compact:
            return 0, field, Passport.rebuild(field, iat=1, orig=_NUMBER, dest=[_NUMBER, _NUMBER])
        return 0, field, Passport.read(field)
    except RemoteProtocolError as error:
        return error.sip_status, field, None


def _header(params: bytes, *parts: bytes) -> bytes:
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts]
    return b".".join([*encoded, _SIGNED]) + b";" + params


_URL = "https://h/a"
_INFO = f"info=<{_URL}>".encode()
_JOSE = {"alg": "ES256", "typ": "passport", "x5u": _URL}
_CLAIMS = {"dest": {"tn": ["15553334444"]}, "iat": 1, "orig": {"tn": "15551112222"}}
_SHAKEN = _CLAIMS | {"attest": "A", "origid": "7", "dest": {"uri": ["sip:Alice@H;x=1", "urn:x"]}}


def _lines(params: bytes, jose: dict[str, object], claims: dict[str, object]) -> bytes:
    return b"\n".join([params, canonical(jose).encode(), canonical(claims).encode()])


_WHOLE = signing_input_of(_JOSE, _CLAIMS) + b"." + _SIGNED + b";" + _INFO + b";alg=ES256"
TARGET = Target(
    one_input,
    parser=("opensip.sip.passport",),
    seeds=(
        _WHOLE,
        _WHOLE.replace(b"A;", b"AA;"),
        b".." + _SIGNED + b";" + _INFO,
        b".." + _SIGNED + b";" + _INFO + b";ppt=shaken",
        b"a.b.c;info=h",
        b"a.b;" + _INFO,
        b"a.b.c;" + _INFO,
        b'a.b.c;"',
        b"a.b.c;" + _INFO + b";a=b;a=c",
        _lines(_INFO, _JOSE, _CLAIMS),
        _lines(_INFO + b";ppt=shaken", _JOSE | {"ppt": "shaken"}, _SHAKEN),
        _lines(_INFO + b";ppt=shaken", _JOSE | {"ppt": "shaken"}, _CLAIMS),
        _lines(_INFO + b";ppt=shaken", _JOSE | {"ppt": "shaken"}, _CLAIMS | {"attest": "B"}),
        _lines(_INFO, _JOSE | {"alg": "none"}, _CLAIMS),
        _lines(_INFO, _JOSE | {"typ": "jwt"}, _CLAIMS),
        _lines(_INFO, _JOSE | {"ppt": "div"}, _CLAIMS),
        _lines(_INFO, _JOSE | {"x5u": "https://other"}, _CLAIMS),
        _lines(_INFO, _JOSE | {"crit": ["b64"]}, _CLAIMS),
        _lines(_INFO, _JOSE, _CLAIMS | {"iat": "1"}),
        _lines(_INFO, _JOSE, _CLAIMS | {"dest": {}}),
        _lines(_INFO, _JOSE, _CLAIMS | {"orig": {"tn": [1]}}),
        _lines(_INFO, _JOSE, _CLAIMS | {"orig": {"tn": "1", "uri": "sip:a@b"}}),
        _INFO + b"\n[]\n[]",
        _INFO + b"\n{\n",
        _INFO + b'\n{"a":NaN}\n',
        _INFO + b'\n{"a":1,"a":2}\n',
    ),
    fault=Fault("opensip.sip.passport", "(binascii.Error, ValueError)", "UnicodeError"),
    words=(
        *(b'"alg":', b'"typ":', b'"x5u":', b'"ppt":', b'"orig":', b'"dest":', b'"iat":', b'"tn":'),
        *(b'"uri":', b'"attest":', b'"origid":', b'"shaken"', b";ppt=", b"info=<", b"1e999"),
        *(b"..", b"\n", b"NaN", b"\\ud800", b"[[[[", b"{}"),
    ),
    dear=(
        *((_WHOLE + piece * MAX_INPUT)[:MAX_INPUT] for piece in (b";", b'"', b"<", b";a=", b";a ")),
        *((piece * MAX_INPUT)[:MAX_INPUT] for piece in (b".", b"A", b'"', b"<", b" ", b";info=<")),
        *(
            _INFO + b"\n" + (opening + piece * 6000)[:6000] + b"\n"
            for opening in (b"", b'{"a":', b'{"dest":{"tn":[')
            for piece in (b"[", b'{"a":', b"9", b"1,", b'"",', b'"sip:a@b",', b"\\ud800", b" ")
        ),
        _lines(_INFO, _JOSE, _CLAIMS | {"dest": {"uri": ["sip:a@b" + ";x" * 2000]}}),
        _lines(_INFO, _JOSE, _CLAIMS | {"dest": {"tn": ["(" * 5000]}}),
        _lines(_INFO, _JOSE, _CLAIMS | {"dest": {"tn": ["1"] * 1400}}),
    ),
)
