"""A drawing as an HTML page that zooms with the wheel and moves with the mouse."""

from __future__ import annotations

import html

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>computation graph</title>
<style>
html,body{{margin:0;height:100%;background:#fff}}
svg{{display:block;width:100%;height:100%;cursor:grab;touch-action:none}}
p{{position:fixed;right:10px;bottom:6px;margin:0;font:11px sans-serif;color:#5B6472}}
</style>
</head>
<body>
{svg}
<p>wheel: zoom &middot; drag: move &middot; double click: everything</p>
<script>
{script}
</script>
</body>
</html>
"""

_SCRIPT = """\
const svg = document.querySelector("svg"), view = svg.viewBox.baseVal;
const all = [view.x, view.y, view.width, view.height];
let held = null;
// the picture is fitted into the window by the smaller of two scales
const scale = () => Math.max(view.width / svg.clientWidth, view.height / svg.clientHeight);
function set(x, y, width, height) { Object.assign(view, {x, y, width, height}); }
function at(event) {
  const p = new DOMPoint(event.clientX, event.clientY);
  return p.matrixTransform(svg.getScreenCTM().inverse());
}
svg.addEventListener("wheel", event => {
  event.preventDefault();
  const k = Math.exp(Math.max(-200, Math.min(200, event.deltaY)) / 500), p = at(event);
  set(p.x - (p.x - view.x) * k, p.y - (p.y - view.y) * k, view.width * k, view.height * k);
}, {passive: false});
svg.addEventListener("pointerdown", event => {
  held = [event.clientX, event.clientY];
  svg.setPointerCapture(event.pointerId);
});
svg.addEventListener("pointermove", event => {
  if (!held) return;
  const s = scale();
  view.x -= (event.clientX - held[0]) * s;
  view.y -= (event.clientY - held[1]) * s;
  held = [event.clientX, event.clientY];
});
svg.addEventListener("pointerup", () => { held = null; });
svg.addEventListener("pointercancel", () => { held = null; });
svg.addEventListener("dblclick", () => set(...all));
// a long graph opens at its beginning, at a size one can read
if (scale() > 2.5) {
  const s = 1.2 / scale();
  set(0, 0, all[2] * s, all[3] * s);
}"""

MOST_PIXELS, LEAST_PIXELS = 640, 160
"""Height of a drawing in a notebook."""


def to_html(svg: str) -> str:
    """The SVG in a page of its own, with the script."""
    return _PAGE.format(svg=svg, script=_SCRIPT)


def to_frame(svg: str, height: float) -> str:
    """The page inside another one: what notebooks show."""
    pixels = max(LEAST_PIXELS, min(MOST_PIXELS, round(height) + 10))
    return (
        f'<iframe srcdoc="{html.escape(to_html(svg))}" title="computation graph" '
        f'style="width:100%;height:{pixels}px;border:1px solid #D4D4D8"></iframe>'
    )
