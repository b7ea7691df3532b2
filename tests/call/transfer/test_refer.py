from dataclasses import replace

import pytest

from opensip.call.handoff import Handoff, read_headers
from opensip.call.sip_leg import UDP_ROOM
from opensip.call.transfer.refer import compose, judge
from opensip.call.transfer.strategy import Transfer, TransferResult
from opensip.sip.uri import NameAddr

HANDOFF = Handoff("c-8f3a", "billing_dispute", 0.93, "Disputes a charge", ["caller: hello"] * 3)
US = "sip:+15553334444@sip.us.opensip.example"


def transfer(budget=4096, target="sip:desk@pbx.example.com", **more):
    return Transfer(target, HANDOFF, "generic", US, budget, **more)


def test_the_headers_of_a_refer_stand_as_published():
    refer_to, headers = compose(transfer())
    assert refer_to.startswith("<sip:desk@pbx.example.com?User-to-User=00")
    assert [name for name, _ in headers] == [
        "Referred-By",
        "User-to-User",
        "X-Opensip-Call-Id",
        "X-Opensip-Intent",
        "X-Opensip-Confidence",
        "X-Opensip-Summary",
        "X-Opensip-Transcript",
        "Supported",
    ]
    assert headers[0] == ("Referred-By", f"<{US}>")
    assert headers[-1] == ("Supported", "replaces, norefersub")
    assert read_headers(headers).summary == "Disputes a charge"
    assert read_headers(NameAddr.parse(refer_to).uri.unescaped_headers()) == read_headers(headers)


def test_a_whole_conversation_fits_where_the_caller_comes_by_tcp():
    """That of README, as the desk is to print it."""
    said = (
        *("agent: Hello, this is Harbor Lamps. How can I help you?", "caller: where is my order"),
        "agent: Please say or key in the four digits of your order number.",
        *("caller: two seven one four", "agent: I heard two seven one four. Is that right?"),
        *("caller: yes", "agent: Order two seven one four: one oil lamp, it is being repaired."),
        *("caller: a person", "agent: One moment please, I am connecting you to a colleague."),
    )
    summary = "Wants: order status. order: 2714. Last said: 'a person'."
    told = Handoff("c-2bb5b2756aa2", "order_status", 0.55, summary, said, {"order": "2714"})
    target = "sip:desk@127.0.0.1:5090;transport=tcp"
    refer_to, _ = compose(Transfer(target, told, "generic", US, 4096))
    read = read_headers(NameAddr.parse(refer_to).uri.unescaped_headers())
    assert (read.summary, read.fields, read.transcript) == (summary, told.fields, said)
    assert read.left_out == ()
    refer_to, _ = compose(Transfer(target, told, "generic", US, UDP_ROOM))
    read = read_headers(NameAddr.parse(refer_to).uri.unescaped_headers())
    assert read.fields == told.fields
    assert read.left_out == ("summary", "transcript")


def test_refer_to_is_one_line_however_much_there_is_to_tell():
    long = replace(
        HANDOFF, summary="word " * 99, transcript=[f"caller: {n * n}" for n in range(200)]
    )
    refer_to, _ = compose(Transfer("sip:desk@pbx.example.com", long, "generic", US, 4096))
    assert 800 < len(refer_to) <= 900
    told = read_headers(NameAddr.parse(refer_to).uri.unescaped_headers())
    assert told.intent == "billing_dispute"


@pytest.mark.parametrize("budget", [0, 300, 600, 1000])
def test_a_small_budget_keeps_what_matters_most(budget):
    refer_to, headers = compose(transfer(budget))
    context = [item for item in headers if item[0] not in ("Referred-By", "Supported")]
    length = len(refer_to) + sum(len(name) + len(value) + 4 for name, value in context)
    assert length <= budget + len("<sip:desk@pbx.example.com?>")
    if budget >= 600:
        read = read_headers(NameAddr.parse(refer_to).uri.unescaped_headers())
        assert (read.call_id, read.intent) == ("c-8f3a", "billing_dispute")


def test_a_trunk_that_reads_no_headers_of_a_uri_gets_all_beside_it():
    refer_to, headers = compose(transfer(refer_to_headers=False))
    assert refer_to == "<sip:desk@pbx.example.com>"
    assert read_headers(headers).transcript == tuple(HANDOFF.transcript)


def test_a_telephone_number_carries_its_context_beside_it():
    refer_to, headers = compose(transfer(target="tel:+15556667777"))
    assert refer_to == "<tel:+15556667777>"
    assert read_headers(headers).intent == "billing_dispute"


@pytest.mark.parametrize(
    ("way", "status", "expected"),
    [
        ("notify", 200, TransferResult("transferred", 200)),
        ("bye", 200, TransferResult("transferred", 200)),
        ("refer", 202, TransferResult("transferred", 202)),  # Refer-Sub: false, no NOTIFY follows
        ("refer", 603, TransferResult("refused", 603)),
        ("refer", 405, TransferResult("refused", 405)),
        ("notify", 486, TransferResult("failed", 486)),
        ("notify", 0, TransferResult("silent")),
    ],
)
def test_what_the_end_of_a_refer_means(way, status, expected):
    assert judge(way, status) == expected
