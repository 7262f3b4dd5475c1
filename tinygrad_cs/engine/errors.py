"""The errors this library raises: one base, and beside it the built-in a user would catch.

Every message answers, in this order: what failed, what was expected, what came, what to write
instead. `Module.__call__` adds the dotted path of the layer, `tg.debug()` the user's line.
"""

from __future__ import annotations

from numpy import exceptions
from numpy.linalg import LinAlgError


class TinygradError(Exception):
    """Base of every error of this library.

    Example:
        >>> import tinygrad_cs as tg
        >>> try:
        ...     tg.tensor([1, 2], requires_grad=True)
        ... except tg.TinygradError as error:
        ...     print(type(error).__name__)
        DTypeError
    """

    layer: str | None = None
    """Dotted path of the layer in which the error arose, if it arose in one."""

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.layer is None else f"in layer {self.layer!r}: {text}"


class ShapeError(TinygradError, ValueError):
    """Shapes that do not fit together."""


class DTypeError(TinygradError, TypeError):
    """Data of a type that cannot be used here, such as integers that should carry gradients."""


class ArgumentError(TinygradError, ValueError):
    """An argument outside the values that are allowed."""


class LinearAlgebraError(TinygradError, LinAlgError):
    """A matrix without what was asked for: not square, singular, not positive definite."""


class IndexOutOfRange(TinygradError, IndexError):
    """An index or class label beyond the size of its axis."""


class AxisError(IndexOutOfRange, exceptions.AxisError):
    """An axis that the array does not have, or one that is named twice."""


class GraphError(TinygradError, RuntimeError):
    """A graph used in a way it does not allow, such as a second backward pass."""


class StaleValueError(GraphError):
    """A value that a derivative needs was changed in place after the forward pass."""


class RuleError(GraphError):
    """A derivative rule returned something that cannot be the gradient of its operand."""


class NonFiniteError(TinygradError, FloatingPointError):
    """Inside `tg.debug()`: the first operation that produced an infinite or NaN value."""


class NoDerivativeError(TinygradError, TypeError):
    """A NumPy function without a derivative here met a tensor that needs one."""


class GradientCheckError(TinygradError, AssertionError):
    """Analytic and numeric derivatives differ."""


class CompileError(TinygradError, RuntimeError):
    """A function that `tg.compile` cannot make a program of."""


class UnknownNameError(TinygradError, AttributeError):
    """An attribute that does not exist; the message suggests the nearest one."""


class MissingDependency(TinygradError, ImportError):
    """An optional package is needed; the message names the `pip install` that brings it."""


class StateDictError(TinygradError, KeyError):
    """Missing, unexpected or misshaped entries of a `state_dict`; nothing was loaded."""

    def __str__(self) -> str:
        # KeyError would print the repr of the message, with its line breaks escaped.
        return str(self.args[0]) if self.args else ""
