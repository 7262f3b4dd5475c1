"""Initialise a whole model: each layer by its kind and by the activation that follows it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ...engine.errors import ArgumentError
from ...engine.tensor import Tensor, overwrite
from ..module import Module
from ..parameter import Parameter
from . import scaling, structured
from .filling import constant_, normal_, ones_, zeros_
from .flow import follower, has_weights, in_order, is_normalization, kinds
from .gains import calculate_gain
from .report import Drawn, Report, spread

__all__ = ["apply"]

Rule = Callable[[Tensor], Any]

_SCHEMES: dict[str, Rule] = {
    "xavier_normal": scaling.xavier_normal_,
    "xavier_uniform": scaling.xavier_uniform_,
    "kaiming_normal": scaling.kaiming_normal_,
    "kaiming_uniform": scaling.kaiming_uniform_,
    "lecun_normal": scaling.lecun_normal_,
    "lecun_uniform": scaling.lecun_uniform_,
    "orthogonal": structured.orthogonal_,
}


def apply(
    model: Module,
    scheme: str | Rule = "auto",
    *,
    activation: str = "relu",
    bias: float = 0.0,
    zero_last: bool = False,
    overrides: Mapping[str, str | Rule] | None = None,
) -> Report:
    """Initialise every layer of a model by its kind and by the activation that follows it.

    =================================  =========================================================
    linear and convolution layers,
    before relu, leaky_relu, elu,
    gelu or silu                       variance gain^2 / fan in (He)
    before tanh or sigmoid             variance 2 gain^2 / (fan in + fan out) (Xavier)
    before selu or nothing             variance 1 / fan in (LeCun)
    biases                             0
    normalisations                     weight 1, bias 0
    embeddings                         variance 1; the padding row 0
    other layers                       left as they were made
    =================================  =========================================================

    What follows a layer is known inside `Sequential`; in a module with a `forward` of its own it is
    taken to be `activation`, except after the model's last layer.

    Args:
        model: changed in place; before an optimizer has taken steps, or its momentum will be that
            of the old weights.
        scheme: "auto" (default) for the table above; the name of one rule for all linear and
            convolution layers ("xavier_normal", "xavier_uniform", "kaiming_normal",
            "kaiming_uniform", "lecun_normal", "lecun_uniform", "orthogonal"); or any function that
            fills a weight in place.
        activation: see above (default "relu").
        bias: of layers before relu (default 0); 0.01 lets nearly all units start active, so that
            gradients reach them.
        zero_last: set the last layer of every `Residual` block to zero, so that each block starts
            as the identity and depth costs nothing at first (Goyal et al. 2017).
        overrides: other schemes by dotted name: of any layer, or of a module for all linear and
            convolution layers in it.

    Returns a `Report`: a list of (name, rule, std), printed as a table. Raises `ArgumentError` for
    unknown schemes and names.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs import nn
        >>> generator = tg.manual_seed(0)
        >>> net = nn.Sequential(nn.Linear(2, 300), nn.ReLU(), nn.Linear(300, 1))
        >>> nn.init.apply(net, bias=0.01, overrides={"2": "orthogonal"})
        parameter  rule           std
        0.weight   He, for relu   1.011
        0.bias     constant 0.01  0
        2.weight   orthogonal     0.05764
        2.bias     constant 0     0
    """
    if hasattr(scheme, "shape"):
        raise ArgumentError(
            f"init.apply: scheme must be a name or a function that fills a weight, got an array "
            f"of shape {tuple(scheme.shape)}; initialising looks at no data: "
            f"nn.init.apply(model)"
        )
    if not isinstance(model, Module):
        raise ArgumentError(f"init.apply: expected a module, got {type(model).__name__}")
    calculate_gain(activation)
    chosen = {name: _rule(given) for name, given in (overrides or {}).items()}
    general = None if scheme == "auto" else _rule(scheme)
    flow = list(in_order("", model))
    _check_names(chosen, model)
    done: dict[int, Drawn] = {}

    def fill(name: str, parameter: Any, rule: str, action: Callable[[Tensor], Any]) -> None:
        # A shared parameter is filled once; what has none (bias=None) is passed over.
        if isinstance(parameter, Parameter) and id(parameter) not in done:
            action(parameter)
            done[id(parameter)] = Drawn(name, rule, spread(parameter))

    for i, (path, layer) in enumerate(flow):
        if not isinstance(layer, Module):
            continue
        prefix = f"{path}." if path else ""
        weight, shift = vars(layer).get("weight"), vars(layer).get("bias")
        if _mixes(layer):
            what, slope = follower(flow, i, activation)
            rule = _override(path, chosen) or general or _automatic(layer, what, slope)
            start = bias if what in ("relu", "leaky_relu") else 0.0
            fill(f"{prefix}weight", weight, _name(rule), rule)
            fill(f"{prefix}bias", shift, f"constant {start:g}", partial(constant_, val=start))
        elif path in chosen:
            fill(f"{prefix}weight", weight, _name(chosen[path]), chosen[path])
        elif is_normalization(layer):
            fill(f"{prefix}weight", weight, "ones", ones_)
            fill(f"{prefix}bias", shift, "zeros", zeros_)
        elif any(kind.startswith("Embedding") for kind in kinds(layer)):
            fill(f"{prefix}weight", weight, "normal", _embedding(layer))
    for name, parameter in model.named_parameters():
        if id(parameter) not in done:
            done[id(parameter)] = Drawn(name, "left as it was", spread(parameter))
    if zero_last:
        _zero_last(model, done)
    return Report(done[id(parameter)] for parameter in model.parameters())


def _mixes(layer: Module) -> bool:
    """A linear layer or a convolution, whose fans are known."""
    return any(kind == "Linear" or kind.startswith("Conv") for kind in kinds(layer))


def _automatic(layer: Module, what: str, slope: float | None) -> Rule:
    inputs, outputs = _fans(layer)
    if what in ("tanh", "sigmoid"):
        variance, name = 2 * calculate_gain(what) ** 2 / (inputs + outputs), "Xavier"
    elif what in ("selu", "linear"):
        variance, name = 1 / inputs, "LeCun"
    else:
        variance, name = calculate_gain(what, slope) ** 2 / inputs, "He"

    def rule(weight: Tensor) -> None:
        scaling.scaled_(weight, variance, normal=True)

    rule.__name__ = name if what == "linear" else f"{name}, for {what}"
    return rule


def _fans(layer: Module) -> tuple[float, float]:
    """The fans of the weight; of a transposed convolution the true ones, which its stride tells."""
    inputs, outputs = scaling.fans(layer.weight)
    if not any("Transpose" in kind for kind in kinds(layer)):
        return inputs, outputs
    return outputs / layer.groups / math.prod(layer.stride), inputs


def _embedding(layer: Module) -> Rule:
    def rule(weight: Tensor) -> None:
        normal_(weight)
        padding = vars(layer).get("padding_idx")
        if padding is not None:
            values = weight.data.copy()
            values[padding] = 0.0
            overwrite(weight, values)

    return rule


def _zero_last(model: Module, done: dict[int, Drawn]) -> None:
    blocks = [(path, m) for path, m in model.named_modules() if "Residual" in kinds(m)]
    if not blocks:
        raise ArgumentError(
            "init.apply: zero_last=True, but the model has no nn.Residual block; set the last "
            "layer of your own blocks to zero with init.zeros_"
        )
    for path, block in blocks:
        layers = [
            layer
            for _, layer in in_order(path, block.block)
            if has_weights(layer) or is_normalization(layer)
        ]
        for parameter in layers[-1].parameters() if layers else ():
            zeros_(parameter)
            done[id(parameter)] = Drawn(done[id(parameter)].name, "zeros (last of a block)", 0.0)


def _rule(scheme: str | Rule) -> Rule:
    if callable(scheme):
        return scheme
    name = str(scheme).removesuffix("_")
    if name not in _SCHEMES:
        near = difflib.get_close_matches(name, _SCHEMES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ArgumentError(
            f"init.apply: scheme must be 'auto', a function of the weight, or one of "
            f"{', '.join(map(repr, _SCHEMES))}; got {scheme!r}{hint}"
        )
    return _SCHEMES[name]


def _name(rule: Rule) -> str:
    return getattr(rule, "__name__", repr(rule)).removesuffix("_")


def _override(path: str, chosen: Mapping[str, Rule]) -> Rule | None:
    """The rule for the layer itself, or else for the innermost module around it."""
    while path and path not in chosen:
        path = path.rpartition(".")[0]
    return chosen.get(path)


def _check_names(chosen: Iterable[str], model: Module) -> None:
    known = [path for path, _ in model.named_modules()]
    for name in chosen:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ArgumentError(f"init.apply: overrides: the model has no layer {name!r}{hint}")
