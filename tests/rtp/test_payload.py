from opensip.rtp.payload import (
    G722,
    OPUS,
    PCMU,
    STATIC_FORMATS,
    TELEPHONE_EVENT,
    PayloadFormat,
    event_formats,
    parameters,
)


def test_rtpmap_names_channels_only_when_there_are_more_than_one():
    assert PCMU.rtpmap == "PCMU/8000"
    assert PayloadFormat("opus", 48000, 2).rtpmap == "opus/48000/2"


def test_match_ignores_case_and_parameters_but_not_clock_or_channels():
    assert PCMU.matches(PayloadFormat("pcmu", 8000, fmtp="x"))
    assert not PCMU.matches(PayloadFormat("PCMU", 16000))
    assert not PCMU.matches(PayloadFormat("PCMU", 8000, 2))
    assert not PCMU.matches(PayloadFormat("PCMA", 8000))


def test_static_table_is_that_of_rfc_3551():
    assert STATIC_FORMATS[0] is PCMU
    assert STATIC_FORMATS[18].encoding_name == "G729"
    assert all(number == f.static_type for number, f in STATIC_FORMATS.items())
    assert not {1, 2, 19} & STATIC_FORMATS.keys()


def test_parameters_can_be_replaced():
    assert TELEPHONE_EVENT.with_fmtp("0-16").fmtp == "0-16"


def test_events_at_each_clock_once():
    assert [form.rtpmap for form in event_formats((OPUS, PCMU, G722))] == [
        "telephone-event/48000",
        "telephone-event/8000",
    ]


def test_parameters_are_read():
    assert parameters("CBR=1; maxplaybackrate = 16000;x;") == {
        "cbr": "1",
        "maxplaybackrate": "16000",
    }
    assert parameters("") == parameters("0-15") == {}
