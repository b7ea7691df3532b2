"""A ladder as one SVG file: needs nothing else, and follows the page into the dark."""

from opensip.telemetry.ladder import Ladder
from opensip.telemetry.ladder_picture import STYLE, Picture, Strip, shown, text

_TOP = 66  # height of the lines above the heads
_BOTTOM = 14


def ladder_svg(ladder: Ladder) -> str:
    """Draw a ladder as a whole SVG document."""
    picture = Picture(ladder)
    strips: list[Strip] = [picture.heads(), *picture.strips()]
    parts, y = [], _TOP
    for strip in strips:
        parts.append(f'<g transform="translate(0,{y})">{strip.markup}</g>')
        y += strip.height
    width, height = picture.width, y + _BOTTOM
    title = f"call {ladder.call_id}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img">',
            f"<title>{shown(title)}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{width}" height="{height}"/>',
            text(24, 30, "caption", f"{title} · {ladder.started}"),
            text(24, 50, "small", ladder.caption),
            *parts,
            "</svg>\n",
        ]
    )
