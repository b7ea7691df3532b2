from dataclasses import replace

import pytest

from opensip.errors import ConfigError
from opensip.media.spoken import Spoken
from opensip.rtp.payload import G722, OPUS, PCMA, PCMU
from tests.media.test_agreement import agreed


def names(formats):
    return [form.rtpmap for form in formats]


def test_each_codec_comes_with_its_events():
    spoken = Spoken(("PCMU", "PCMA"))
    assert names(spoken.formats) == ["PCMU/8000", "PCMA/8000", "telephone-event/8000"]
    with pytest.raises(ConfigError, match="known are"):
        Spoken(("G729",))


def test_what_the_engine_can_join_is_asked_for_in_the_order_of_the_other():
    spoken = Spoken(("G722", "PCMU", "PCMA"))
    assert spoken.plain("PCMA") == (PCMA, PCMU)
    assert spoken.plain("PCMU") == (PCMU, PCMA)
    assert Spoken(("G722",)).plain("PCMU") == ()


def test_an_answer_may_leave_out_what_the_peer_can_and_an_offer_does_not():
    spoken = Spoken(("G722", "PCMU", "PCMA"))
    spoken.learn(replace(agreed(), listed=(G722,)), offered=False)
    assert spoken.plain("PCMU") == (PCMU, PCMA)
    spoken.learn(
        replace(agreed(), listed=(OPUS, replace(PCMA, encoding_name="pcma"))), offered=True
    )
    assert spoken.plain("PCMU") == (PCMA,)
    spoken.learn(replace(agreed(), listed=(PCMU,)), offered=False)
    assert spoken.plain("PCMU") == (PCMU, PCMA)


def test_only_some_are_brought_for_a_while():
    spoken = Spoken(("G722", "PCMU"))
    spoken.narrow((PCMU,))
    assert names(spoken.formats) == ["PCMU/8000", "telephone-event/8000"]
    spoken.widen()
    assert spoken.formats == spoken.all
