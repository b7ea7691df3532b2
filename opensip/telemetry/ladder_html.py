"""A ladder as one HTML page: a click on an arrow unfolds the message; needs nothing else."""

from opensip.telemetry.ladder import Ladder, Step
from opensip.telemetry.ladder_picture import STYLE, Picture, Strip, shown

_GROUPS = {  # what can be hidden: its label, and the kinds of steps in it
    "signalling": ("request", "provisional", "success", "failure", "told"),
    "speech": ("speech",),
    "media": ("media",),
    "events": ("state", "fault"),
}
_PAGE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1b2430; --faint: #667085; --card: #f6f7fa;
  --edge: #dbe0e8; --mark: #2257d5; }
@media (prefers-color-scheme: dark) { :root { --page: #11151b; --ink: #e7ebf1; --faint: #97a2b4;
  --card: #181e27; --edge: #313b49; --mark: #84a9ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 14px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
body > * { width: var(--width); max-width: 100%; margin-inline: auto; }
header { padding: 22px 24px 6px; } h1 { font-size: 19px; margin: 0; }
h1 span, header p { color: var(--faint); font-weight: 400; } header p { margin: 2px 0 0; }
.shown { padding: 8px 24px; display: flex; gap: 18px; flex-wrap: wrap; }
label { cursor: pointer; } input { accent-color: var(--mark); }
svg { display: block; width: 100%; height: auto; }
.heads { position: sticky; top: 0; background: var(--page); z-index: 1; }
summary { list-style: none; cursor: pointer; } summary::-webkit-details-marker { display: none; }
summary:hover, summary:focus-visible { background: var(--card); outline: none; }
details[open] > summary { background: var(--card); }
summary:hover .halo, details[open] > summary .halo { stroke: var(--card); }
pre { margin: 0 16px 12px 84px; padding: 12px 16px; white-space: pre-wrap;
  overflow-wrap: anywhere; background: var(--card);
  border: 1px solid var(--edge); border-left: 3px solid var(--mark); border-radius: 8px;
  font: 12px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre b { color: var(--mark); font-weight: 600; }
footer { padding: 14px 24px 30px; color: var(--faint); font-size: 12px; }
@media print { .shown { display: none; } .heads { position: static; } }
"""


def ladder_html(ladder: Ladder) -> str:
    """Draw a ladder as a whole HTML page; it loads nothing and runs nothing."""
    picture = Picture(ladder)
    hide = "".join(
        f"body:has(#{group}:not(:checked)) .{group} {{ display: none; }}\n" for group in _GROUPS
    )
    boxes = "".join(
        f'<label><input type="checkbox" id="{group}" checked> {group}</label>' for group in _GROUPS
    )
    title = f"call {shown(ladder.call_id)}"
    rows = "\n".join(_row(strip, picture.width) for strip in picture.strips())
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>{_PAGE}{STYLE}{hide}:root {{ --width: {picture.width}px; }}</style></head><body>
<header><h1>{title} <span>{shown(ladder.started)}</span></h1><p>{shown(ladder.caption)}</p></header>
<div class="shown">{boxes}</div>
<div class="heads">{_svg(picture.heads(), picture.width)}</div>
<main>
{rows}
</main>
<footer>Times are in seconds. Click an arrow to read its message; credentials and keys are
masked. Dashed arrows are known from NOTIFY alone.</footer>
</body></html>
"""


def _row(strip: Strip, width: int) -> str:
    drawn = _svg(strip, width)
    if strip.step is None:
        return f"<div>{drawn}</div>"
    group = next(name for name, kinds in _GROUPS.items() if strip.step.kind in kinds)
    if not strip.step.text:
        return f'<div class="{group}">{drawn}</div>'
    return (
        f'<details class="{group}"><summary>{drawn}</summary><pre>{_message(strip.step)}</pre>'
        "</details>"
    )


def _svg(strip: Strip, width: int) -> str:
    return f'<svg viewBox="0 0 {width} {strip.height}">{strip.markup}</svg>'


def _message(step: Step) -> str:
    """Write a message with the names of its header fields set off."""
    head, blank, body = step.text.partition("\r\n\r\n")
    start, *fields = head.split("\r\n")
    lines = [f"<b>{shown(start)}</b>"]
    for field in fields:
        name, colon, value = field.partition(":")
        lines.append(f"<b>{shown(name)}</b>:{shown(value)}" if colon else shown(field))
    return "\n".join(lines) + ("\n\n" + shown(body.replace("\r\n", "\n")) if blank and body else "")
