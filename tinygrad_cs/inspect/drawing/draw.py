"""`draw`: the computation graph behind a value, or of a function, as a picture."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from ...autograd import trees
from ...engine.errors import ArgumentError
from ...engine.lift import node_of
from ...engine.scalar import Scalar
from ...engine.tensor import Tensor, asarray
from ...engine.types import np
from ...nn.module import Module
from ..graph.calls import Call, chains, noting_calls
from ..graph.passing import seed_for, visits
from ..graph.survey import Survey, names_by
from .drawing import Drawing
from .picture import picture


def draw(
    subject: Any,
    *inputs: Any,
    model: Module | None = None,
    names: Mapping[str, Any] | None = None,
    collapse: bool = False,
    depth: int | None = None,
    gradients: bool = True,
    gradient: Any = None,
    direction: Literal["right", "down"] = "right",
) -> Drawing:
    """Draw a computation graph: every value once, with its operation, shape, value and gradient.

    Nothing has to be installed for it, the graph is not used up and no `.grad` is written. The
    gradients are those that `backward()` would send (hooks are called for it, as `backward()`
    calls them). Values are shown where the graph has them: the engine keeps no more than the rules
    need, of other values it knows the shape.

    Args:
        subject: a `Scalar` or tensor whose graph `backward()` has not freed, or several in a list;
            or a function (a model, or a lambda around model and loss), which is called.
        inputs: what to call the function with. Floating inputs of a model take part in the graph.
        model: whose parameters are named by their dotted path (default: the subject, if it is one).
        names: further names, {"x": x}; anything that is no tensor or Scalar is passed over, so
            that `names=locals()` serves. What has no name is called v1, v2, ... by age.
        collapse: draw every layer that has no layers in it as one box (default False). It needs
            a function as subject: which layer made a value is seen while it runs.
        depth: as `collapse`, and whatever stands `depth` levels below the model is one box with
            all that is in it: 1 draws its direct children, 0 the model as one box.
        gradients: False leaves them out; they are drawn if there is one root, and it is a number
            or `gradient` is given.
        gradient: what the backward pass starts with (default 1).
        direction: "right" (default) or "down".

    Raises `GraphError` for a graph that was freed or a value that has none, `StaleValueError` where
    `backward()` would (then `gradients=False` draws the rest), `ArgumentError` for arguments that
    do not fit together.

    Example:
        >>> import tinygrad_cs as tg
        >>> w, x = tg.Scalar(3.0), tg.Scalar(2.0)
        >>> drawing = tg.inspect.draw((w * x + 1.0) ** 2, names={"w": w, "x": x})
        >>> print(drawing)
        name  operation  of      value  gradient
        w     input              3      28
        x     input              2      42
        v1    multiply   w, x    6      14
        1     constant           1
        v2    add        v1, 1   7      14
        2     constant           2
        v3    power      v2, 2   49     1
        >>> drawing.svg[:4]
        '<svg'
        >>> drawing.save("graph.html")  # doctest: +SKIP
    """
    _check(depth, direction)
    if model is None and isinstance(subject, Module):
        model = subject
    known = names_by(names, "draw")
    calls: list[Call] = []
    if isinstance(subject, type):
        raise ArgumentError(f"draw: got the class {subject.__name__}; draw one that was made of it")
    if callable(subject):
        with noting_calls(model) as calls:
            subject = _run(subject, inputs, known)
        _check_result(subject)
    elif inputs:
        raise ArgumentError(
            f"draw: inputs are for a function or model to call, got {type(subject).__name__}; "
            f"write draw(model, x), or names={{'x': x}} for names"
        )
    survey = Survey(_roots(subject), model, known, "draw")
    found: dict[Any, Any] = {}
    products: dict[Any, list[Any]] = {}
    if gradients and _has_gradients(survey, gradient):
        seed = seed_for(survey.given[0], gradient, "draw")
        for visit in visits(survey, seed, "draw"):
            found[visit.node] = visit.gradient
            products[visit.node] = [arrival.product for arrival in visit.arrivals]
    level = _level(collapse, depth, calls)
    shown = picture(survey, found, products, chains(survey.nodes, calls), level)
    return Drawing(shown, downward=direction == "down")


def _check(depth: int | None, direction: str) -> None:
    if direction not in ("right", "down"):
        raise ArgumentError(f'draw: direction must be "right" or "down", got {direction!r}')
    whole = isinstance(depth, int) and not isinstance(depth, bool) and depth >= 0
    if depth is not None and not whole:
        raise ArgumentError(f"draw: depth must be a whole number, 0 or more, got {depth!r}")


def _check_result(result: Any) -> None:
    if not any(isinstance(value, (Tensor, Scalar)) for value in trees.leaves(result)):
        raise ArgumentError(
            f"draw: the function returned {type(result).__name__}, and only tensors and Scalars "
            f"know what they were computed from; give it such, as in draw(f, tg.Scalar(2.0))"
        )


def _level(collapse: bool, depth: int | None, calls: list[Call]) -> float | None:
    if not collapse and depth is None:
        return None
    if not calls:
        raise ArgumentError(
            "draw: which layer made a value is only seen while the model runs, so collapse and "
            "depth need the function instead of its result: draw(model, x, collapse=True), or "
            "draw(lambda: criterion(model(x), y), model=model, collapse=True)"
        )
    return math.inf if depth is None else depth


def _roots(subject: Any) -> list[Any]:
    """The nodes in what was given or returned; if there are none, something to complain about."""
    values = list(trees.leaves(subject))
    return [v for v in values if node_of(v) is not None] or values[:1] or [subject]


def _has_gradients(survey: Survey, gradient: Any) -> bool:
    return len(survey.roots) == 1 and (gradient is not None or np.size(survey.given[0]._data) == 1)


def _run(function: Callable[..., Any], inputs: tuple[Any, ...], names: dict[str, Any]) -> Any:
    """Call it; its inputs get the names of its arguments."""
    given, definition = list(inputs), function
    if isinstance(function, Module):
        if not inputs:
            raise ArgumentError("draw: a model is drawn while it runs; write draw(model, x)")
        given, definition = [_taking_part(x) for x in inputs], function.forward
    try:
        signature = inspect.signature(definition)
        named = signature.bind(*given).arguments
    except (TypeError, ValueError):  # a wrong call says so itself; built-in functions have none
        named = {}
    for name, value in named.items():
        if isinstance(value, tuple) and len(value) == 1:  # of forward(self, *args)
            name, (value,) = "input", value
        names.setdefault(name, value)
    return function(*given)


def _taking_part(x: Any) -> Any:
    """The input as a leaf with a gradient, so that the path from it is drawn too."""
    data = x._data if isinstance(x, Tensor) else x
    if isinstance(data, np.ndarray) and data.dtype.kind == "f" and node_of(x) is None:
        leaf = asarray(data)
        leaf.requires_grad = True
        return leaf
    return x
