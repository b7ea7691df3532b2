"""A name server on loopback that knows the records it is given."""

import asyncio
import contextlib

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class FakeDns(asyncio.DatagramProtocol):
    """`records` maps (name, type) to texts as in a zone file; `asked` keeps the questions.

    With `dead` it answers nothing.
    """

    def __init__(self, records=None):
        self.records = records or {}
        self.asked = []
        self.dead = False
        self.address = ""

    def connection_made(self, transport):
        self._transport = transport
        host, port = transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"

    def datagram_received(self, data, addr):
        query = dns.message.from_wire(data)
        question = query.question[0]
        key = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(key)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA | dns.flags.RA
        if key in self.records:
            texts = self.records[key]
            answer.answer = [dns.rrset.from_text_list(question.name, 60, "IN", key[1], texts)]
        elif key[0] not in {name for name, _ in self.records}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if not self.dead:
            self._transport.sendto(answer.to_wire(), addr)


@contextlib.asynccontextmanager
async def name_server(records):
    """Run a server with these records."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: FakeDns(records), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
        await asyncio.sleep(0)
