from opensip.sip.flow import Flow


def test_reliable_and_secure():
    flows = [Flow(name, ("127.0.0.1", 5060), ("192.0.2.1", 5060)) for name in ("UDP", "TCP", "TLS")]
    assert [flow.reliable for flow in flows] == [False, True, True]
    assert [flow.secure for flow in flows] == [False, False, True]
    assert str(flows[0]) == "UDP 127.0.0.1:5060-192.0.2.1:5060"


def test_a_new_connection_between_the_same_ports_is_another_flow():
    one = Flow("TCP", ("127.0.0.1", 5060), ("192.0.2.1", 40000), 1)
    other = Flow("TCP", ("127.0.0.1", 5060), ("192.0.2.1", 40000), 2)
    assert one != other
    assert one in {one: 1}
