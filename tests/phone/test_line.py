import asyncio
from ipaddress import ip_network

import pytest

from opensip.net.sip_transport import Listener
from opensip.phone.caller import Caller, CallerConfig
from opensip.phone.line import Line, LineConfig
from opensip.sip.uri import NameAddr, Uri
from opensip.ua.admission import TrunkAdmission

UDP = (Listener("UDP", "127.0.0.1", 0),)
LOCAL = TrunkAdmission("any", networks=(ip_network("127.0.0.0/8"),))


def ignore(what, **details):
    """Take no report."""


@pytest.mark.e2e
def test_a_line_that_takes_no_calls_is_busy():
    async def main():
        config = LineConfig("127.0.0.1", listeners=UDP)
        async with Line(config, admitted=(LOCAL,)) as busy, Line(config) as line:
            _, host, port = busy.endpoint.bound[0]
            to = Uri.parse(f"sip:x@{host}:{port}")
            caller = CallerConfig(to, NameAddr.parse("<sip:a@127.0.0.1>"))
            return await Caller(line, caller, speak=None, report=ignore).run()

    assert asyncio.run(asyncio.wait_for(main(), 10)).status == 486
