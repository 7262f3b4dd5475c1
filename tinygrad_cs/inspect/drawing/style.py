"""How each kind of box looks, in SVG and DOT alike.

Kinds differ in shape and in colour, so that the picture is legible without colours too. Colours
are tints of Okabe and Ito's palette, which every kind of colour vision tells apart; the text on
them is dark.
"""

from __future__ import annotations

from typing import NamedTuple

from .picture import CONSTANT, INPUT, LAYER, OPERATION, PARAMETER, Box


class Style(NamedTuple):
    """Fill and border, what a legend says, and the shape's name in DOT."""

    fill: str
    border: str
    meaning: str
    dot_shape: str


STYLES = {
    PARAMETER: Style("#FDE7C3", "#B87503", "parameter", "oval"),
    INPUT: Style("#D9EDFA", "#0072B2", "input with a gradient", "parallelogram"),
    CONSTANT: Style("#F4F4F5", "#8B8B94", "data, no gradient", "note"),
    OPERATION: Style("#FFFFFF", "#4B5563", "operation", "box"),
    LAYER: Style("#DDF1EA", "#00785A", "layer", "box3d"),
}

TEXT, FAINT, GRADIENT, ARROW = "#111827", "#5B6472", "#9A3412", "#6B7280"
OUTPUT_BORDER = "#111827"
"""Outputs have a heavy border."""


def lines_of(box: Box) -> list[tuple[str, str]]:
    """What stands in a box: pairs of text and role (title, value, gradient)."""
    lines = [(box.title, "title")]
    if box.kind == LAYER:
        lines.append((box.name, "name"))
    if box.value:
        lines.append((box.value, "value"))
    if box.gradient:
        lines.append((f"grad {box.gradient}", "gradient"))
    return lines


def tooltip_of(box: Box) -> str:
    """Everything known about a box, one fact a line."""
    head = f"{box.name} = {box.operation}" if box.operation else box.name
    facts = [head, f"kind: {box.kind}"]
    if box.value:
        facts.append(f"value: {box.value}")
    if box.gradient:
        facts.append(f"gradient: {box.gradient}")
    if box.layer and box.kind != LAYER:
        facts.append(f"layer: {box.layer}")
    return "\n".join(facts + box.notes)
