import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from opensip.telemetry.ladder import read_ladder
from opensip.telemetry.ladder_svg import ladder_svg
from tests.fakes.journals import line, message, opened, sip, transferred


def test_the_picture_is_whole_and_stands_alone():
    drawing = ladder_svg(read_ladder(transferred()))
    root = ET.fromstring(drawing)  # noqa: S314 - ours
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    strips = root.findall("{*}g")
    assert len(strips) > 20
    bottom = float(strips[-1].get("transform").partition(",")[2].rstrip(")"))
    assert bottom < float(root.get("height"))
    assert "prefers-color-scheme: dark" in drawing
    assert "href" not in drawing
    assert "@import" not in drawing
    assert "<script" not in drawing


@given(st.text(max_size=60))
def test_what_peers_and_callers_say_stays_text(text):
    reason = text.replace("\r", "").replace("\n", "").strip()
    lines = [
        opened(),
        sip(0.0, "received", message(f"SIP/2.0 486 {reason}", cseq="1 INVITE")),
        line(1.0, "caller_said", text=text, confidence=1.0, intent="", slots=None, way="voice"),
    ]
    root = ET.fromstring(ladder_svg(read_ladder(lines)))  # noqa: S314 - ours
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "text", "g", "path"}
