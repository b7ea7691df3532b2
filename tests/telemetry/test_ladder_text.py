from hypothesis import given
from hypothesis import strategies as st

from opensip.telemetry.ladder import read_ladder
from opensip.telemetry.ladder_text import ladder_text
from tests.fakes.journals import invite, line, message, opened, sip, started, transferred

SHORT = """\
call c-1   2026-01-02T03:04:05.000+00:00
inbound +15551112222 → +15553334444 · trunk demo · agent shop · 2.0 s, ended by caller

            +15551112222                               opensip
         UDP 192.0.2.1:5060                      UDP 192.0.2.9:5060
    0.000         │──────────────── INVITE ──────────────▶│   cseq 1 · audio PCMU dtmf SRTP
                  │                                       │   AES_CM_128_HMAC_SHA1_80 (+1)
    0.020         │◀══════════════ RTP PCMU ═════════════▶│   r:4 ⇄ l:2
                  ┊                                       ┊
    2.000         │ “Hello”                               │
                  │◀┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│
    2.000         │                                       ●   call ended: caller"""


def short():
    return read_ladder(
        [
            opened(),
            invite(),
            started(),
            line(0.02, "media_negotiated", codec="PCMU", suite="", local="l:2", remote="r:4"),
            line(2.0, "agent_said", text="Hello", heard="Hello", interrupted=False),
            line(2.0, "call_ended", side="caller", cause="", sip_status=None),
        ]
    )


def test_a_short_call():
    assert ladder_text(short(), width=90) == SHORT


def test_arrows_reach_their_parties():
    drawing = ladder_text(read_ladder(transferred()), width=110)
    (refer,) = (row for row in drawing.splitlines() if " REFER ─" in row)
    assert "│◀─" in refer
    assert "cseq 1 · refer to" in refer
    (told,) = (row for row in drawing.splitlines() if "as our REFER asked" in row)
    assert told.count("│") == 2
    assert "┄▶│" in told
    assert "● " in drawing
    assert "fault in recording" in drawing


def test_messages_whole():
    drawing = ladder_text(short(), messages=True)
    assert "inline:***" in drawing
    assert "Call-ID: a@b" in drawing
    assert "Call-ID: a@b" not in ladder_text(short())


def test_colours_are_the_painters():
    painted = set()
    ladder_text(short(), paint=lambda text, style: painted.add(style) or text)
    assert painted == {"faint", "request", "media", "speech", "state"}


def test_nothing_of_a_peer_moves_the_cursor():
    evil = message("SIP/2.0 486 \x1b[2J\x9b\u202eBusy\b", cseq="1 INVITE")
    drawing = ladder_text(read_ladder([opened(), sip(0.0, "received", evil)]), messages=True)
    assert all(row.isprintable() for row in drawing.splitlines())


def test_more_parties_than_there_is_room_for():
    legs = [
        sip(0.0, "sent", message("BYE sip:a@h SIP/2.0", cseq="1 BYE", call_id=str(number)))
        for number in range(6)
    ]
    rows = ladder_text(read_ladder([opened(), *legs]), width=40).splitlines()
    assert sum(" BYE " in row for row in rows) == 6


@given(st.text(max_size=200), st.integers(20, 200))
def test_any_words_leave_the_lifelines_straight(text, width):
    drawn = read_ladder(
        [
            opened(),
            line(0.0, "agent_said", text=text, heard=text, interrupted=False),
            line(0.5, "fault", where=text, error=text),
        ]
    )
    rows = ladder_text(drawn, width=width).splitlines()[5:]
    lane = rows[0].index("│")
    assert all(row[lane] in "│●" for row in rows)
