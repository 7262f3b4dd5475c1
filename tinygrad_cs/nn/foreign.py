"""What users give in the wrong place: arrays of other libraries, data in the place of options."""

from __future__ import annotations

from typing import Any

from ..engine.errors import DTypeError
from ..engine.tensor import Tensor, asarray
from ..engine.types import np


def is_foreign(x: Any) -> bool:
    """Is this an array of another library than NumPy?"""
    return (
        not isinstance(x, (Tensor, np.ndarray, np.generic))
        and hasattr(type(x), "__array__")
        and hasattr(x, "dtype")
    )


def with_shape(x: Any) -> Any:
    """A node or an array as it is, a list or an array of another library as a tensor."""
    if isinstance(x, (Tensor, np.ndarray)):
        return x
    if is_foreign(x):
        return asarray(np.asarray(x))
    return x if hasattr(x, "ndim") else asarray(x)


def refuse_foreign(args: tuple[Any, ...], where: str, error: Exception) -> None:
    """Raise `DTypeError` if an array of another library among these may be why `error` came."""
    for x in args:
        if is_foreign(x):
            kind = f"{type(x).__module__.partition('.')[0]}.{type(x).__name__}"
            raise DTypeError(
                f"{where}: expected a tensor of this library or a NumPy array, got a {kind}; "
                f"write x.numpy() (for PyTorch x.detach().cpu().numpy())"
            ) from error


def described(value: Any, where: str) -> str:
    """What came in place of an option; for an array its shape, and where arrays go."""
    if not getattr(value, "shape", ()):
        return repr(value)
    text = f"an array of shape {tuple(value.shape)}"
    if where.endswith("Loss"):
        text += f"; first make the loss, then call it: nn.{where}()(prediction, target)"
    elif where[:1].isupper():
        text += f"; first make the layer, then call it: nn.{where}(...)(x)"
    return text
