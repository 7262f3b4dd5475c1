"""What is drawn: boxes and arrows, made from a survey of the graph, layer by layer if asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...engine.node import Node
from ..graph import texts
from ..graph.calls import Call, layer_to_show
from ..graph.survey import Constant, Survey

PARAMETER, INPUT, CONSTANT, OPERATION, LAYER = (
    "parameter", "input", "constant", "operation", "layer",
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Box:
    """One node of the drawing.

    Attributes:
        name: dotted path of a parameter, the user's name, or v1, v2, ...
        kind: parameter, input (a leaf with a gradient), constant, operation or layer.
        operation: the operation that made the value, or the kind of layer; empty for leaves.
        shape: of the value.
        value: shape and entries, in a few characters.
        gradient: the derivative of the root with respect to this value, likewise; may be empty.
        layer: dotted path of the layer it was made in, where that is known.
        order: when it was made.
        output: is it a root of the drawing?
        notes: what there is no room for in the box.
    """

    name: str
    kind: str
    operation: str
    shape: tuple[int, ...]
    value: str
    gradient: str = ""
    layer: str = ""
    order: float = 0
    output: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What the box says first."""
        return self.operation or self.name


@dataclass(slots=True, eq=False)
class Arrow:
    """From an operand to what was computed from it; `label` is the operand's name there."""

    source: Box
    target: Box
    label: str
    gradient: str = ""


@dataclass(slots=True)
class Picture:
    """Boxes, operands before what is computed from them, and the arrows between them."""

    boxes: list[Box]
    arrows: list[Arrow]


def picture(
    survey: Survey,
    gradients: Mapping[Any, Any],
    products: Mapping[Any, list[Any]],
    chains: Mapping[Any, tuple[Call, ...]],
    depth: float | None,
) -> Picture:
    """The picture of a survey.

    Args:
        survey: the nodes.
        gradients: of every node, where they are known.
        products: what every node sent to its differentiable operands, in order.
        chains: the calls that every node was made in.
        depth: how deep in the model a layer stands that is drawn as one box; None for no layers.
    """
    boxes: dict[Any, Box] = {}
    layers: dict[Call, Box] = {}
    members: dict[Box, int] = {}
    arrows: list[Arrow] = []
    for node in survey.nodes:
        chain = chains.get(node, ())
        call = None if depth is None else layer_to_show(chain, depth)
        if call is None:
            box = boxes[node] = _box(survey, node, gradients)
            box.layer = chain[-1].path if chain else ""
        else:
            box = boxes[node] = layers.setdefault(call, _layer_box(call))
            _continue_layer(box, survey, node, gradients)
            members[box] = members.get(box, 0) + 1
        if node.plan is None:
            continue
        sent = iter(products.get(node, ()))
        for label, operand in survey.operands(node):
            if isinstance(operand, Constant):
                if operand not in boxes:
                    boxes[operand] = _constant_box(survey, operand, node.order - 0.5)
                gradient = ""
            else:
                gradient = texts.values(next(sent)) if products else ""
            if boxes[operand] is not box:
                arrows.append(Arrow(boxes[operand], box, label, gradient))
    for box, count in members.items():
        box.notes.insert(0, f"{count} operation{'s' if count > 1 else ''}")
    if layers:
        _absorb_parameters(boxes, arrows, set(layers.values()))
    return _sorted(boxes, arrows)


def _box(survey: Survey, node: Node, gradients: Mapping[Any, Any]) -> Box:
    value = survey.values.get(node)
    made = node.plan is not None
    kind = OPERATION if made else PARAMETER if node in survey.parameters else INPUT
    box = Box(
        survey.names[node],
        kind,
        node.plan.op.name if node.plan is not None else "",
        tuple(node.shape),
        texts.described(value, node.shape),
        _gradient(gradients, node),
        order=node.order,
        output=node in survey.roots,
        notes=[_type(node)],
    )
    stored = node.grad
    if stored is not None:
        box.notes.append(f".grad holds {texts.values(stored)}")
    made_at = getattr(node, "made_at", None)
    if made_at is not None:
        box.notes.append(f"recorded at {made_at}")
    return box


def _type(node: Node) -> str:
    if node.dtype is float:
        return "Scalar"
    return f"{node.dtype}, shape {node.shape}"


def _gradient(gradients: Mapping[Any, Any], node: Node) -> str:
    return texts.values(gradients[node]) if node in gradients else ""


def _constant_box(survey: Survey, constant: Constant, order: float) -> Box:
    known = constant.value is not None or constant.shape
    box = Box(
        survey.names.get(constant, "data" if known else "constant"),
        PARAMETER if constant in survey.parameters else CONSTANT,
        "",
        constant.shape,
        texts.described(constant.value, constant.shape) if known else "",
        order=order,
        notes=["no gradient is computed here"],
    )
    if box.value == box.name:
        box.value = ""
    return box


def _layer_box(call: Call) -> Box:
    module = call.module
    kind = type(module).__name__
    parameters = sum(parameter.size for parameter in module.parameters())
    box = Box(call.path or "model", LAYER, kind, (), "", layer=call.path)
    if module.extra_repr():
        box.notes.append(f"{kind}({module.extra_repr()})")
    if parameters:
        box.notes.append(f"{parameters:,} parameters")
    return box


def _continue_layer(box: Box, survey: Survey, node: Node, gradients: Mapping[Any, Any]) -> None:
    """The newest node of a layer is its result."""
    box.shape, box.order = tuple(node.shape), node.order
    box.value = texts.described(survey.values.get(node), node.shape)
    box.gradient = _gradient(gradients, node)
    box.output = box.output or node in survey.roots


def _absorb_parameters(boxes: dict[Any, Box], arrows: list[Arrow], layers: set[Box]) -> None:
    """Parameters and constants that only one layer uses are part of it, and arrows into a layer
    come once from each source.
    """
    users: dict[Box, set[Box]] = {}
    for arrow in arrows:
        users.setdefault(arrow.source, set()).add(arrow.target)
    inner = {
        box
        for box, using in users.items()
        if box.kind in (PARAMETER, CONSTANT) and len(using) == 1 and using <= layers
        if box.kind == PARAMETER or box.name in ("constant", box.value, "data") or not box.shape
    }
    drawn = set()
    kept = []
    for arrow in arrows:
        ends = (arrow.source, arrow.target)
        if arrow.source not in inner and not (ends in drawn and arrow.target in layers):
            kept.append(arrow)
        drawn.add(ends)
    arrows[:] = kept
    for key in [key for key, box in boxes.items() if box in inner]:
        del boxes[key]


def _sorted(boxes: dict[Any, Box], arrows: list[Arrow]) -> Picture:
    unique = dict.fromkeys(boxes.values())
    return Picture(sorted(unique, key=lambda box: box.order), arrows)
