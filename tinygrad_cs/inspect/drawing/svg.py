"""A picture as SVG: text that scales, needs no program and opens in every browser."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from ..layout import arrange
from .picture import CONSTANT, INPUT, OPERATION, PARAMETER, Box, Picture
from .style import (
    ARROW,
    FAINT,
    GRADIENT,
    OUTPUT_BORDER,
    STYLES,
    TEXT,
    lines_of,
    tooltip_of,
)

LINE, PADDING = 17.0, 9.0
CHARACTER = {"title": 8.3, "name": 6.6, "value": 6.6, "gradient": 6.6}
"""Mean width of a character of each role, generous: the reader's fonts are not known here."""

LONGEST_TEXT = 44
CORNER = 6.6
LEGEND = 34.0
FONT = "'Inter','Segoe UI','Helvetica Neue',Helvetica,'DejaVu Sans',Arial,sans-serif"

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 does not allow in a document, not even escaped."""

CSS = f"""\
text{{font-family:{FONT};font-size:11px;fill:{TEXT}}}
.title{{font-size:13px;font-weight:600}}
.name,.corner,.operand,.legend{{fill:{FAINT}}}
.gradient{{fill:{GRADIENT}}}
.operand{{font-size:10px}}
.corner{{font-size:10px}}
path.arrow{{fill:none;stroke:{ARROW};stroke-width:1.2}}
g.box:hover .shape{{stroke-width:3}}"""


def to_svg(picture: Picture, downward: bool) -> str:
    """The drawing as a complete SVG document."""
    boxes, arrows = picture.boxes, picture.arrows
    number = {box: i for i, box in enumerate(boxes)}
    several = _with_several_operands(picture)
    # from above, the names of operands stand side by side over the box
    room = {box: 60.0 * n for box, n in several.items()} if downward else {}
    sizes = [_size(box, room.get(box, 54.0)) for box in boxes]
    edges = [(number[arrow.source], number[arrow.target]) for arrow in arrows]
    layout = arrange(sizes, edges, downward)
    legend, legend_width = _legend(boxes, layout.height)
    width, height = max(layout.width, legend_width), layout.height + LEGEND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>computation graph of {len(boxes)} nodes</title>",
        f"<style>{escape(CSS)}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0.8L8 4L0 7.2z" fill="{ARROW}"/></marker>'
        "</defs>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#FFFFFF"/>',
    ]
    for source, trunk in layout.trunks.items():
        about = f"from {boxes[source].name}"
        parts.append(
            f'<path class="arrow" d="{_curve(trunk, downward)}"><title>{text(about)}</title></path>'
        )
    for arrow, route in zip(arrows, layout.routes, strict=True):
        gradient = f": gradient {arrow.gradient}" if arrow.gradient else ""
        about = f"{arrow.source.name} as {arrow.label} of {arrow.target.title}{gradient}"
        parts.append(
            f'<path class="arrow" d="{_curve(route, downward)}" marker-end="url(#tip)">'
            f"<title>{text(about)}</title></path>"
        )
        if arrow.target in several:
            parts.append(_operand(arrow.label, route, downward))
    parts += [_drawn(*each) for each in zip(boxes, layout.centres, sizes, strict=True)]
    return "\n".join([*parts, *legend, "</svg>", ""])


def text(value: str) -> str:
    r"""Any text as the content of an element: escaped, without what XML cannot hold.

    Example:
        >>> text("<b> & \x00")
        '&lt;b&gt; &amp; \ufffd'
    """
    return escape(_FORBIDDEN.sub("\ufffd", value))


def shortened(value: str, longest: int = LONGEST_TEXT) -> str:
    """The text on one line; the middle of a long one left out."""
    value = " ".join(value.split())
    if len(value) <= longest:
        return value
    return f"{value[: longest - 16]}…{value[-15:]}"


def _size(box: Box, least: float) -> tuple[float, float]:
    lines = lines_of(box)
    width = max(len(shortened(line)) * CHARACTER[role] for line, role in lines)
    if box.kind == OPERATION:
        width = max(width, len(shortened(box.title)) * CHARACTER["title"] + _corner_width(box))
    slant = 12.0 if box.kind in (INPUT, PARAMETER) else 0.0
    return max(width + 2 * PADDING + slant, least), len(lines) * LINE + 2 * PADDING - 4


def _corner_width(box: Box) -> float:
    return len(shortened(box.name, 24)) * CORNER + 12


def _drawn(box: Box, centre: tuple[float, float], size: tuple[float, float]) -> str:
    x, y = centre
    width, height = size
    lines = lines_of(box)
    parts = [
        f"<g class={quoteattr('box ' + box.kind)}>",
        f"<title>{text(tooltip_of(box))}</title>",
        _shape(box, x - width / 2, y - height / 2, width, height),
    ]
    top = y - (len(lines) - 1) * LINE / 2 + 4
    for k, (line, role) in enumerate(lines):
        at = x
        if k == 0 and box.kind == OPERATION:
            at = x - _corner_width(box) / 2
            parts.append(
                f'<text class="corner" x="{x + width / 2 - 6:.1f}" y="{top:.1f}" '
                f'text-anchor="end">{text(shortened(box.name, 24))}</text>'
            )
        parts.append(
            f'<text class="{role}" x="{at:.1f}" y="{top + k * LINE:.1f}" text-anchor="middle">'
            f"{text(shortened(line))}</text>"
        )
    return "".join([*parts, "</g>"])


def _shape(box: Box, x: float, y: float, w: float, h: float) -> str:
    """Parameters are round, inputs slanted, constants dashed, operations and layers boxes."""
    style = STYLES[box.kind]
    border, stroke = (OUTPUT_BORDER, 2.6) if box.output else (style.border, 1.3)
    paint = f'class="shape" fill="{style.fill}" stroke="{border}" stroke-width="{stroke}"'
    if box.kind == INPUT:
        s = 5.0
        # arrows end and start in the middle of a side, which lies on the border of the box
        corners = [(x + s, y), (x + w + s, y), (x + w - s, y + h), (x - s, y + h)]
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
        return f'<polygon points="{points}" {paint} stroke-linejoin="round"/>'
    radius = {PARAMETER: h / 2, OPERATION: 5.0}.get(box.kind, 2.0)
    dashes = ' stroke-dasharray="4 3"' if box.kind == CONSTANT else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="{radius:.1f}" '
        f"{paint}{dashes}/>"
    )


def _curve(route: list[tuple[float, float]], downward: bool) -> str:
    """Smooth between two layers, straight through the layers an arrow passes."""
    (x, y), *rest = route
    parts = [f"M{x:.1f} {y:.1f}"]
    for k, (x1, y1) in enumerate(rest):
        if k % 2:
            parts.append(f"L{x1:.1f} {y1:.1f}")
        elif downward:
            half = (y + y1) / 2
            parts.append(f"C{x:.1f} {half:.1f} {x1:.1f} {half:.1f} {x1:.1f} {y1:.1f}")
        else:
            half = (x + x1) / 2
            parts.append(f"C{half:.1f} {y:.1f} {half:.1f} {y1:.1f} {x1:.1f} {y1:.1f}")
        x, y = x1, y1
    return "".join(parts)


def _operand(label: str, route: list[tuple[float, float]], downward: bool) -> str:
    x, y = route[-1]
    x, y, anchor = (x + 5, y - 10, "start") if downward else (x - 10, y - 4, "end")
    return (
        f'<text class="operand" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{text(label if len(label) <= 12 else label[:11] + '…')}</text>"
    )


def _with_several_operands(picture: Picture) -> dict[Box, int]:
    """Operations where it matters which operand an arrow is, and how many there are."""
    count: dict[Box, int] = {}
    for arrow in picture.arrows:
        count[arrow.target] = count.get(arrow.target, 0) + 1
    return {box: n for box, n in count.items() if n > 1 and box.kind == OPERATION}


def _legend(boxes: list[Box], top: float) -> tuple[list[str], float]:
    """What the shapes mean, for those that occur; returns the width too."""
    x, y = 24.0, top + LEGEND / 2 - 6
    parts = []
    for kind, style in STYLES.items():
        if not any(box.kind == kind for box in boxes):
            continue
        parts.append(_shape(Box("", kind, "", (), ""), x, y - 6, 26.0, 13.0))
        parts.append(
            f'<text class="legend" x="{x + 36:.1f}" y="{y + 4.5:.1f}">{style.meaning}</text>'
        )
        x += 36 + len(style.meaning) * 6.2 + 22
    return parts, x
