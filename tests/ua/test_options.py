import pytest

from opensip.sip.headers import Headers
from opensip.sip.message import Request
from opensip.sip.uri import Uri
from opensip.ua.options import capabilities, screen, screen_interval


def request(method="INVITE", uri="sip:a@b", body=b"", **headers):
    items = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(method, Uri.parse(uri), Headers(items), body)


def parts(*types):
    written = "".join(f"--x\r\nContent-Type: {name}\r\n\r\n.\r\n" for name in types)
    return f"{written}--x--\r\n".encode()


@pytest.mark.parametrize(
    ("refused", "status", "header"),
    [
        *(
            (request(name), 405, "Allow")
            for name in ("SUBSCRIBE", "REGISTER", "PUBLISH", "MESSAGE")
        ),
        (request("SHUFFLE"), 501, "Allow"),
        (request(uri="http://example.com/"), 416, None),
        (request(uri="urn:service:counseling"), 416, None),
        (request(uri="urn:service:sosedi"), 416, None),
        (request(Require="precondition, 100rel"), 420, "Unsupported"),
        (request(body=b"x", Content_Type="text/plain"), 415, "Accept"),
        (request(body=b"x"), 415, "Accept"),
        (
            request(body=b"x", Content_Type="application/sdp", Content_Encoding="gzip"),
            415,
            "Accept-Encoding",
        ),
        (request("INFO", body=b"x", Content_Type="application/json"), 415, "Accept"),
        (request(body=b"x", Content_Type="application/pkcs7-mime; smime-type=x"), 493, None),
        (request(body=b"--x\r\n", Content_Type="multipart/mixed;boundary=x"), 400, None),
        (
            request(body=parts("text/html"), Content_Type="multipart/mixed;boundary=x"),
            415,
            "Accept",
        ),
    ],
)
def test_what_is_refused(refused, status, header):
    refusal = screen(refused)
    assert refusal.status == status
    assert [name for name, _ in refusal.headers] == ([header] if header else [])


@pytest.mark.parametrize(
    "accepted",
    [
        request(),
        request(uri="tel:+1555"),
        request(uri="urn:service:sos"),
        request(uri="URN:Service:sos.police"),
        request(uri="urn:service:test.sos"),
        request(Require="norefersub"),
        request(body=b"v=0", Content_Type="application/SDP;x=y"),
        request(body=b"x", Content_Type="a/b", Content_Disposition="session; handling=optional"),
        request("BYE", body=b"x", Content_Type="text/plain"),
        request(
            body=parts("application/pidf+xml", "application/sdp"),
            Content_Type="multipart/related;boundary=x",
        ),
        request("CANCEL", Require="precondition"),
    ],
)
def test_what_is_taken(accepted):
    assert screen(accepted) is None


def test_only_the_unknown_extensions_are_named():
    assert screen(request(Require="precondition, 100rel")).headers == (
        ("Unsupported", "precondition"),
    )


def test_capabilities_are_those_of_section_11_2():
    assert {"Allow", "Accept", "Supported"} <= dict(capabilities()).keys()


def test_an_info_of_a_package_is_refused_since_we_take_none():
    refusal = screen(request("INFO", body=b"x", Info_Package="quiz", Content_Type="text/plain"))
    assert (refusal.status, refusal.headers) == (469, (("Recv-Info", ""),))


def test_a_session_that_would_be_too_short_is_refused_with_ours():
    refusal = screen_interval(request(Session_Expires="60", Supported="timer"))
    assert (refusal.status, refusal.headers) == (422, (("Min-SE", "90"),))
    assert screen_interval(request(Session_Expires="90", Supported="timer")) is None
    assert screen_interval(request(Session_Expires="60")) is None
