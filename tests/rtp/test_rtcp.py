import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensip.errors import LocalProtocolError, RemoteProtocolError
from opensip.rtp.rtcp import (
    CNAME,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    is_rtcp,
    ntp_time,
    parse_compound,
    round_trip,
    serialize_compound,
)

words = st.integers(0, 0xFFFFFFFF)
blocks = st.builds(
    ReportBlock,
    words,
    st.integers(0, 255),
    st.integers(-0x800000, 0x7FFFFF),
    words,
    words,
    words,
    words,
)
reports = st.lists(blocks, max_size=31).map(tuple)
items = st.lists(st.tuples(st.integers(1, 8), st.binary(max_size=40)), max_size=4).map(tuple)
packets = st.one_of(
    st.builds(SenderReport, words, st.integers(0, 2**64 - 1), words, words, words, reports),
    st.builds(ReceiverReport, words, reports),
    st.builds(SourceDescription, words, items),
    st.builds(Goodbye, st.lists(words, max_size=31).map(tuple), st.binary(max_size=60)),
)


@given(st.lists(packets, min_size=1, max_size=4))
def test_what_is_written_is_read_back(sent):
    data = serialize_compound(*sent)
    assert len(data) % 4 == 0
    assert parse_compound(data) == sent


@given(st.binary(max_size=120))
def test_random_bytes_are_parsed_or_refused(data):
    with contextlib.suppress(RemoteProtocolError):
        parse_compound(data)


@given(st.integers(0, 63), st.integers(192, 207), st.binary(max_size=200))
def test_random_bodies_are_parsed_or_refused(flags, kind, body):
    body = body[: len(body) // 4 * 4]
    with contextlib.suppress(RemoteProtocolError):
        parse_compound(bytes([0x80 | flags, kind, 0, len(body) // 4]) + body)


def test_wire_form_of_a_usual_compound():
    data = serialize_compound(
        SenderReport(1, 2, 3, 4, 5, (ReportBlock(6, 7, -1, 9, 10, 11, 12),)),
        SourceDescription(1, ((CNAME, b"a@b"),)),
    )
    assert data.hex(" ", 4) == (
        "81c8000c 00000001 00000000 00000002 00000003 00000004 00000005 "
        "00000006 07ffffff 00000009 0000000a 0000000b 0000000c "
        "81ca0003 00000001 01036140 62000000"
    )


def test_an_application_packet_alone_is_well_formed():
    ping = bytes.fromhex("80cc0003 05d443d3") + b"PINGPONG"  # as baresip sends it
    assert parse_compound(ping) == []


def test_unknown_types_are_passed_over_and_several_chunks_read():
    unknown = bytes.fromhex("80cd0001 00000001")
    chunks = bytes.fromhex("82ca0005 00000001 01016100 00000002 01026162 00000000")
    assert parse_compound(unknown + chunks) == [
        SourceDescription(1, ((CNAME, b"a"),)),
        SourceDescription(2, ((CNAME, b"ab"),)),
    ]


def test_padding_of_the_last_packet_is_taken_off():
    data = bytes.fromhex("a0c90002 00000001 00000004")
    assert parse_compound(data) == [ReceiverReport(1)]


@pytest.mark.parametrize(
    "data",
    [
        "",
        "80",
        "40c90001 00000001",
        "80c90002 00000001",
        "80c90000",
        "81c90001 00000001",
        "80c80001 00000001",
        "81cb0000",
        "80cb0001 05616200",
        "81ca0001 00000001",
        "81ca0002 00000001 01ff6162",
        "81ca0002 00000001 01026162",
        "80bf0001 00000001",
        "80e00001 00000001",
        "a0c90001 00000003",
        "a0c90001 00000000",
        "a0c90001 00000008",
        "a0c90002 00000001 00000004 80c90001 00000001",
        "a0c90000",
    ],
)
def test_lies_are_refused(data):
    with pytest.raises(RemoteProtocolError):
        parse_compound(bytes.fromhex(data))


@pytest.mark.parametrize(
    "packet",
    [
        ReceiverReport(-1),
        ReceiverReport(1, (ReportBlock(1, 0, 0, 0, 0),) * 32),
        SourceDescription(1, ((CNAME, bytes(256)),)),
    ],
)
def test_impossible_fields_are_our_bug(packet):
    with pytest.raises(LocalProtocolError):
        serialize_compound(packet)


@pytest.mark.parametrize(("lost", "written"), [(1 << 30, 0x7FFFFF), (-(1 << 30), -0x800000)])
def test_the_count_of_losses_is_clamped(lost, written):
    (report,) = parse_compound(
        serialize_compound(ReceiverReport(1, (ReportBlock(1, 0, lost, 0, 0),)))
    )
    assert isinstance(report, ReceiverReport)
    assert report.reports[0].lost == written


def test_rtcp_is_told_from_rtp():
    assert is_rtcp(serialize_compound(ReceiverReport(1)))
    assert not is_rtcp(bytes.fromhex("80000001 00000001 00000001"))
    assert not is_rtcp(b"\x80\xc9")
    assert not is_rtcp(b"\x00\xc9" + bytes(8))


def test_time_of_rfc_3550():
    assert ntp_time(0) >> 32 == 2_208_988_800
    assert ntp_time(0.5) & 0xFFFFFFFF == 1 << 31


def test_round_trip():
    block = ReportBlock(1, 0, 0, 0, 0, last_sr=0xB7058000, delay=0x00054000)  # figure 2
    assert round_trip(block, 0xB44DB705_8000_0000 + (0xB7108000 - 0xB7058000 << 16)) is not None
    sent = ntp_time(1000.0)
    block = ReportBlock(1, 0, 0, 0, 0, last_sr=sent >> 16 & 0xFFFFFFFF, delay=65536)
    assert round_trip(block, ntp_time(1001.25)) == pytest.approx(0.25, abs=1e-4)
    assert round_trip(block, ntp_time(1000.5)) == 0.0
    assert round_trip(ReportBlock(1, 0, 0, 0, 0), sent) is None
