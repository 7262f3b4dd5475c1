"""Every layer of `tg.nn`, made from the names of its arguments, and called."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from tinygrad_cs import nn

# What arguments of these names get; all samples have 8 features, or 4 channels of 8 or 8 x 8.
VALUES: dict[str, Any] = {
    **dict.fromkeys(["in_features", "out_features", "in1_features", "in2_features"], 8),
    **dict.fromkeys(["input_size", "hidden_size", "embed_dim", "d_model", "normalized_shape"], 8),
    **dict.fromkeys(["num_features", "in_channels", "out_channels", "num_channels"], 4),
    **dict.fromkeys(["kernel_size", "num_heads", "nhead", "num_groups", "num_layers"], 2),
    **{"num_embeddings": 10, "embedding_dim": 8, "dim": 1, "unflattened_size": (2, 4)},
    **{"output_size": 5, "dim_feedforward": 8, "p": 0.5, "dropout": 0.5, "batch_first": True},
}
INPUTS = [(6, 4, 8), (6, 8), (6, 4, 8, 8)]


def layers() -> dict[str, type]:
    """Every layer of `tg.nn`: no losses, and nothing with a length, which holds other layers."""
    kinds = {name: getattr(nn, name) for name in nn.__all__}
    return {
        name: kind
        for name, kind in kinds.items()
        if isinstance(kind, type) and kind.__module__.startswith(f"{nn.__name__}.layers.")
        if not hasattr(kind, "__len__")
    }


def make(kind: type) -> Any:
    """A layer of this kind, from the names of its arguments."""
    special: dict[str, Any] = {
        "block": lambda: nn.Linear(8, 8),
        "encoder_layer": lambda: make(nn.TransformerEncoderLayer),
        "scale_factor": lambda: 2,
    }
    given = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        if name in special:
            given[name] = special[name]()
        elif name in VALUES:
            given[name] = VALUES[name]
        elif parameter.default is parameter.empty and parameter.kind.name[:3] != "VAR":
            raise LookupError(f"{kind.__name__}: add a value for {name} to VALUES")
    return kind(**given)


def caller(layer: Any, random: np.random.Generator) -> tuple[Any, Any]:
    """A function of a batch, and one that draws batches: the first that the layer takes."""
    draws: list[Any] = [lambda s=s: random.standard_normal(s, "float32") for s in INPUTS]
    draws.append(lambda: random.integers(10, size=(6, 5)))
    for draw in draws:
        for times in (1, 2, 3):
            try:
                layer(*[draw()] * times)
            except (TypeError, ValueError, IndexError):
                continue

            def call(x: Any, times: int = times) -> np.ndarray:
                out = layer(*[x] * times)
                return np.array((out[0] if isinstance(out, tuple) else out).data)

            return call, draw
    raise LookupError(f"{type(layer).__name__}: none of the inputs fits")
