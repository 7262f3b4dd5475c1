"""A picture as DOT text, for Graphviz and the many programs that read its language."""

from __future__ import annotations

from .picture import Picture
from .style import ARROW, GRADIENT, OUTPUT_BORDER, STYLES, TEXT, lines_of, tooltip_of


def to_dot(picture: Picture, downward: bool) -> str:
    """The drawing in the DOT language."""
    number = {box: i for i, box in enumerate(picture.boxes)}
    lines = [
        "digraph computation {",
        f"  rankdir={'TB' if downward else 'LR'};",
        f'  node [fontname="Helvetica", fontsize=11, fontcolor="{TEXT}", style=filled];',
        f'  edge [fontname="Helvetica", fontsize=9, color="{ARROW}", fontcolor="{GRADIENT}"];',
    ]
    for box, i in number.items():
        style = STYLES[box.kind]
        border, width = (OUTPUT_BORDER, 2.6) if box.output else (style.border, 1.2)
        label = "\n".join(line for line, _ in lines_of(box))
        lines.append(
            f"  n{i} [label={quoted(label)}, tooltip={quoted(tooltip_of(box))}, "
            f'shape={style.dot_shape}, fillcolor="{style.fill}", color="{border}", '
            f"penwidth={width}];"
        )
    for arrow in picture.arrows:
        tooltip = f", tooltip={quoted(arrow.gradient)}" if arrow.gradient else ""
        lines.append(
            f"  n{number[arrow.source]} -> n{number[arrow.target]} "
            f"[label={quoted(arrow.label)}{tooltip}];"
        )
    return "\n".join([*lines, "}", ""])


def quoted(value: str) -> str:
    r"""Any text as a DOT string; what it looks like is what is drawn.

    Example:
        >>> print(quoted('say "a\\b"'))
        "say \"a\\b\""
    """
    safe = "".join(c if c == "\n" or (c >= " " and c != "\x7f") else "\ufffd" for c in value)
    safe = safe.encode("utf-8", "replace").decode("utf-8")
    escaped = safe.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
