"""The floor of the signalling benchmark: a UDP responder that knows string templates, and no SIP.

usage: floor.py HOST PORT LOOP
Answers each INVITE with 100, 180 and 200 and each BYE with 200, remembers nothing, and drops the
rest. Prints one line once it is bound, and runs until it is killed.
"""

import asyncio
import sys

KEPT = (b"Via:", b"From:", b"To:", b"Call-ID:", b"CSeq:")
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    b"a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)


class Responder(asyncio.DatagramProtocol):
    """Answers by copying the header fields that a response repeats."""

    def __init__(self, contact: str) -> None:
        self._contact = b"\r\nContact: <" + contact.encode() + b">\r\n"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one request."""
        kept = [line for line in data.split(b"\r\n") if line.startswith(KEPT)]
        if data.startswith(b"INVITE "):
            self._answer(b"100 Trying", kept, b"", addr)
            kept = [line + b";tag=floor" if line[:3] == b"To:" else line for line in kept]
            self._answer(b"180 Ringing", kept, b"", addr)
            self._answer(b"200 OK", kept, SDP, addr)
        elif data.startswith(b"BYE "):
            self._answer(b"200 OK", kept, b"", addr)

    def _answer(self, status: bytes, kept: list[bytes], body: bytes, addr: tuple[str, int]) -> None:
        end = b"Content-Type: application/sdp\r\n" if body else b""
        head = b"SIP/2.0 " + status + b"\r\n" + b"\r\n".join(kept) + self._contact + end
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        self._transport.sendto(head + length + body, addr)


async def main(host: str, port: int) -> None:
    """Answer for ever."""
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(
        lambda: Responder(f"sip:{host}:{port}"), local_addr=(host, port)
    )
    print("bound", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[3] == "uvloop":
        import uvloop

        uvloop.run(main(sys.argv[1], int(sys.argv[2])))
    else:
        asyncio.run(main(sys.argv[1], int(sys.argv[2])))
