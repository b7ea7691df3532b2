from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from opensip.telemetry.ladder import read_ladder
from opensip.telemetry.ladder_html import ladder_html
from tests.fakes.journals import message, opened, sip, transferred


class Page(HTMLParser):
    """Counts elements, and looks that each one that is opened is closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.count, self.text = [], {}, ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_every_message_unfolds():
    page = Page(ladder_html(read_ladder(transferred())))
    assert page.open == []
    assert page.count["details"] == page.count["summary"] == page.count["pre"] == 7
    assert "inline:***" in page.text
    assert "Refer-To: <sip:desk@d?X=%20>" in page.text


def test_it_loads_nothing_and_runs_nothing():
    page = ladder_html(read_ladder(transferred()))
    for word in ("<script", "<link", "src=", "http:", "https:", "onclick"):
        assert word not in page


def test_kinds_can_be_hidden():
    page = ladder_html(read_ladder(transferred()))
    for group in ("signalling", "speech", "media", "events"):
        assert f'id="{group}" checked' in page
        assert f'class="{group}"' in page
        assert f"body:has(#{group}:not(:checked)) .{group} {{ display: none; }}" in page


def test_without_words_nothing_unfolds():
    page = Page(ladder_html(read_ladder(transferred(), words=False)))
    assert "details" not in page.count
    assert "person please" not in page.text


@given(st.text(max_size=80))
def test_a_message_of_a_stranger_is_text(text):
    evil = message("BYE sip:b@h SIP/2.0", f"Subject: {text}", cseq="1 BYE", body=f"<{text}")
    page = Page(ladder_html(read_ladder([opened(), sip(0.0, "received", evil)])))
    assert page.open == []
    assert page.count.get("script", 0) == 0
    assert set(page.count) <= {
        "html", "head", "meta", "title", "style", "body", "header", "h1", "span", "p", "div",
        "label", "input", "svg", "rect", "text", "path", "main", "details", "summary", "pre", "b",
        "footer",
    }  # fmt: skip
