"""All parameters as one vector, and back."""

from __future__ import annotations

from typing import Any

from ...engine.arrays import to_array
from ...engine.errors import ShapeError
from ...engine.tensor import Tensor, overwrite
from ...ops.functions import concat, reshape
from ...optim.named import named_parameters

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Any) -> Tensor:
    """All parameters end to end in one vector; gradients flow through it.

    Args:
        parameters: a module, an iterable of parameters, or one tensor.

    Example:
        >>> import tinygrad_cs as tg
        >>> layer = tg.nn.Linear(2, 3)
        >>> tg.nn.utils.parameters_to_vector(layer).shape
        (9,)
    """
    named = named_parameters(parameters, "parameters_to_vector")
    vector: Tensor = concat([reshape(tensor, (-1,)) for _, tensor in named])
    return vector


def vector_to_parameters(vec: Any, parameters: Any) -> None:
    """Put the stretches of a vector into the parameters, in order.

    Args:
        vec: a vector with as many entries as all parameters together, tensor or array.
        parameters: a module, an iterable of parameters, or one tensor.

    Raises `ShapeError` for any other shape of `vec`; then nothing was changed.

    Example:
        >>> import tinygrad_cs as tg
        >>> layer = tg.nn.Linear(2, 1)
        >>> tg.nn.utils.vector_to_parameters([1.0, 2.0, 3.0], layer)
        >>> layer.weight.data, layer.bias.data
        (array([[1., 2.]], dtype=float32), array([3.], dtype=float32))
    """
    targets = [t for _, t in named_parameters(parameters, "vector_to_parameters")]
    values = vec._data if isinstance(vec, Tensor) else to_array(vec)
    total = sum(target.size for target in targets)
    if values.shape != (total,):
        raise ShapeError(
            f"vector_to_parameters: the parameters have {total} entries, so vec must have the "
            f"shape {(total,)}, got {values.shape}"
        )
    start = 0
    for target in targets:
        end = start + target.size
        overwrite(target, values[start:end].reshape(target.shape))
        start = end
