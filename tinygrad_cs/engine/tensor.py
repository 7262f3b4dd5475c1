"""`Tensor`: a NumPy array and its node in the graph, if it has one.

Values are not changed once they are in a graph; `t.at[...]`-style updates make new tensors. What
the library itself changes in place (parameters) goes through `overwrite`, which leaves a date.
"""

from __future__ import annotations

from typing import Any

from . import backward
from .arrays import one, to_array
from .declared import TensorMethods
from .errors import ArgumentError, DTypeError, GraphError, ShapeError
from .modes import CHANGED, current_mode, current_trace, default_dtype
from .node import (
    OPERAND_KINDS,
    RETAIN,
    TENSORS,
    ArrayNode,
    Hook,
    HookHandle,
    Leaf,
    hooks_of,
    keep_grad,
    last_overwrite,
    tick,
)
from .types import Array, Shape, np

_new = object.__new__


class Tensor(TensorMethods):
    """An array with a gradient. Make one with `tg.tensor` (copies) or `tg.asarray` (shares).

    Attributes:
        data: the values, a NumPy array.
        grad: the gradient, a NumPy array of the same shape and dtype, or None until there is one.
        requires_grad: whether operations on this tensor are recorded.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        array([2., 4., 6.], dtype=float32)
    """

    __slots__ = ("__weakref__", "_data", "_frozen", "_node")

    _data: Array
    _node: Any

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = False) -> None:
        if isinstance(data, Tensor) and data._node is not None and current_mode().recording:
            raise GraphError(
                "tensor: a new tensor of one that requires a gradient would cut it off silently; "
                "write t.detach() for its values, t.astype(...) for another dtype"
            )
        self._data = np.array(to_array(data, dtype))
        self._node = None
        if requires_grad:
            self.requires_grad = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        OPERAND_KINDS[cls] = "tensor"
        TENSORS.add(cls)

    @staticmethod
    def _of(data: Array, node: ArrayNode | None = None) -> Tensor:
        """A tensor around an array, sharing it: no checks."""
        self = _new(Tensor)
        self._data = data
        self._node = node
        return self

    @property
    def data(self) -> Array:
        """The values, a NumPy array. Setting it on a leaf puts another array in its place."""
        if CHANGED and (trace := current_trace()) is not None:
            trace.see((self,))
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        node = self._node
        if node is not None and node.plan is not None:
            raise GraphError(
                f"data: a value computed by {node.plan.op.name} cannot be replaced, others may "
                f"have used it; only tensors you made yourself take new .data"
            )
        array = to_array(value, self._data.dtype)
        if array.shape != self._data.shape:
            raise ShapeError(
                f"data: expected an array of shape {self._data.shape}, got {array.shape}"
            )
        if node is not None and (node.home is not None or array is self._data):
            # `w.data -= step` changes the array in place before it arrives here
            overwrite(self, array)
        else:
            self._data = array

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        node = self._node
        if node is not None and node.plan is not None:
            raise GraphError(
                "requires_grad: only tensors you made yourself can change it; for a computed "
                "tensor use detach()"
            )
        if not value:
            if node is not None:
                self._frozen = node
            self._node = None
        elif node is None and getattr(self, "_frozen", None) is not None:
            self._node = self._frozen
        elif node is None:
            if self._data.dtype.kind != "f":
                raise DTypeError(
                    f"requires_grad: gradients need floating data, got {self._data.dtype}; "
                    f"write tg.tensor(..., dtype='float32', requires_grad=True)"
                )
            self._node = Leaf(self._data.shape, self._data.dtype)

    @property
    def grad(self) -> Any:
        """The gradient: a NumPy array of the same shape and dtype, or None until there is one.

        Of a parameter that an optimizer holds it is a part of that optimizer's buffer, which the
        first backward pass after `zero_grad()` writes anew: copy what you want to keep.
        """
        if CHANGED and (trace := current_trace()) is not None:
            trace.reads_gradient(self)
        node = self._node or getattr(self, "_frozen", None)
        return None if node is None else node.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        node = self._node
        if CHANGED and (trace := current_trace()) is not None:
            trace.see((self,))
            if value is None:
                trace.drops_gradient(self)
        if value is None and type(node) is Leaf:  # in every loop without an optimizer
            node._grad = None
            return
        node = node or getattr(self, "_frozen", None)
        if isinstance(node, Leaf):
            node.set_grad(value.data if isinstance(value, Tensor) else value)
        elif value is not None:
            raise GraphError("grad: only tensors you made, with requires_grad=True, take one")

    @property
    def is_leaf(self) -> bool:
        """True for tensors you made yourself, False for those an operation recorded."""
        return self._node is None or self._node.plan is None

    @property
    def shape(self) -> Shape:
        """Length of each axis."""
        shape: Shape = self._data.shape
        return shape

    @property
    def dtype(self) -> Any:
        """NumPy dtype of the values."""
        return self._data.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._data.ndim

    @property
    def size(self) -> int:
        """Number of entries."""
        return self._data.size

    def item(self) -> Any:
        """The value of a tensor with one entry as a Python number, without its history.

        Raises `ShapeError` for several entries.
        """
        try:
            return self._data.item()
        except ValueError as error:
            raise ShapeError(
                f"item: expected a tensor with one entry, got shape {self.shape}; write "
                f"t.data.tolist(), or reduce it first"
            ) from error

    def numpy(self) -> Array:
        """The values as a NumPy array (shared); a tensor that requires a gradient is refused."""
        if self._node is not None:
            raise GraphError(
                "numpy() of a tensor that requires a gradient would cut it off silently; "
                "write t.detach().numpy(), or t.data"
            )
        return self._data

    def detach(self) -> Tensor:
        """The same values with no history and no gradient.

        Shares memory, except with views: a parameter's values change in place when its optimizer
        steps, and a graph could not know.
        """
        return Tensor._of(self._data if self._data.base is None else self._data.copy())

    def backward(self, gradient: Any = None, retain_graph: bool = False) -> None:
        """Add the derivative of this tensor to `.grad` of every leaf it was computed from.

        Args:
            gradient: cotangent of this tensor's shape; needed unless it has one entry (then 1).
            retain_graph: keep the graph for another pass (default: it is freed).

        Raises `GraphError` when nothing requires a gradient, when the graph was freed, or when a
        tensor with several entries comes without `gradient`; `ShapeError` for a wrong shape.
        """
        node = self._node
        if node is None:
            raise GraphError(
                "backward: this tensor does not require a gradient: nothing it was computed from "
                "does, or it was made under no_grad or detached"
            )
        if isinstance(gradient, Tensor):
            gradient = gradient._data
        backward.finish({node: cotangent_for(self, gradient, "backward")}, retain_graph)

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in `.grad` too, not only those of leaves."""
        node = self._need_node("retain_grad")
        if node.plan is not None:
            hooks_of(node)[RETAIN] = keep_grad

    def register_hook(self, hook: Hook) -> HookHandle:
        """Call `hook(gradient)` when the gradient here is known; what it returns replaces it.

        Returns a handle with `remove()`.

        Example:
            >>> import tinygrad_cs as tg
            >>> x = tg.tensor([3.0], requires_grad=True)
            >>> handle = x.register_hook(lambda g: g * 10)
            >>> (2 * x).sum().backward()
            >>> x.grad
            array([20.], dtype=float32)
        """
        return HookHandle(self._need_node("register_hook"), hook)

    def _need_node(self, what: str) -> Any:
        if self._node is None:
            raise GraphError(f"{what}: this tensor does not require a gradient")
        return self._node

    def __len__(self) -> int:
        if not self._data.ndim:
            raise DTypeError("len() of a tensor with no axes")
        return len(self._data)

    def __bool__(self) -> bool:
        try:
            return bool(self._data)
        except ValueError as error:
            raise ShapeError(
                f"bool: the truth of a tensor of shape {self.shape} is ambiguous; write tg.any(t) "
                f"or tg.all(t), for its length len(t)"
            ) from error

    def _number(self, kind: Any) -> Any:
        if self._node is not None and current_mode().recording:
            raise GraphError(
                f"{kind.__name__}() of a tensor that requires a gradient would cut it off "
                f"silently; write t.item() for the number; for a function of t use tg.sin, "
                f"tg.exp, ... instead of math.sin, math.exp, ..."
            )
        return kind(self._data.item())

    def __float__(self) -> float:
        return float(self._number(float))

    def __int__(self) -> int:
        return int(self._number(int))

    def __index__(self) -> int:
        if self._data.dtype.kind in "iu" and self._data.ndim == 0:
            return int(self._data)
        raise DTypeError(f"only an integer tensor with no axes is an index, got {self.dtype}")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self._node is not None and current_mode().recording:
            raise GraphError(
                "np.asarray of a tensor that requires a gradient would cut it off silently; "
                "write t.detach().numpy(), or t.data"
            )
        array: Array = np.array(self._data, dtype=dtype, copy=copy)
        return array

    __hash__ = object.__hash__

    def __setitem__(self, key: Any, value: Any) -> None:
        raise GraphError(
            "t[...] = v: values in a graph are not changed, a derivative may need them. Make a "
            "new tensor with t.at[...].set(v) or t.at[...].add(v)"
        )

    def __repr__(self) -> str:
        text = np.array2string(self._data, separator=", ", prefix="tensor(")
        dtype = "" if self._data.dtype == default_dtype() else f", dtype={self._data.dtype}"
        node = self._node
        if node is None:
            made = ""
        elif node.plan is None:
            made = ", requires_grad=True"
        else:
            made = f", made_by={node.plan.op.name}"
        return f"tensor({text}{dtype}{made})"

    def __format__(self, spec: str) -> str:
        return format(self._data.item(), spec) if spec else repr(self)

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_leaf:
            raise GraphError(
                "a tensor with history cannot be copied or pickled; use t.detach() for its values"
            )
        return tensor, (self._data, None, self.requires_grad)


OPERAND_KINDS[Tensor] = "tensor"
TENSORS.add(Tensor)


def cotangent_for(value: Tensor, gradient: Any, what: str) -> Any:
    """The seed of a backward pass from `value`, in its shape and dtype; 1 if none was given."""
    if gradient is None:
        if value._data.size != 1:
            raise GraphError(
                f"{what}: a tensor of shape {value.shape} needs a gradient of that shape to start "
                f"from; reduce it to one number first, as in loss.mean().backward()"
            )
        return one(value.shape, value.dtype)
    if isinstance(gradient, Tensor):
        given: Any = gradient if gradient._node is not None else gradient._data
    else:
        given = np.asarray(gradient)
    if given.shape != value.shape:
        raise ShapeError(
            f"{what}: the gradient must have the tensor's shape {value.shape}, got {given.shape}"
        )
    return given if given.dtype == value.dtype else given.astype(value.dtype)


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of `data` (numbers, nested lists, an array).

    Args:
        data: Python floats take the default dtype (float32), NumPy arrays keep theirs.
        dtype: another dtype to convert to.
        requires_grad: whether `backward()` fills `.grad`; needs floating data.

    Raises `DTypeError` for strings, objects, ragged lists, and integers asked for gradients.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.tensor([[1.0, 2.0], [3.0, 4.0]]).shape
        (2, 2)
    """
    return Tensor(data, dtype, requires_grad)


def asarray(data: Any, dtype: Any = None) -> Tensor:
    """A tensor that shares memory with `data` where it can: no copy of a NumPy array.

    An array that is changed between the forward and the backward pass gives wrong gradients; inside
    `tg.debug()` it is read-only for so long. `tg.tensor` copies.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> a = np.zeros(2)
        >>> tg.asarray(a).data is a
        True
    """
    if isinstance(data, Tensor):
        return data if dtype is None else data.astype(dtype)
    return Tensor._of(to_array(data, dtype))


def overwrite(target: Tensor, value: Array) -> None:
    """Change the values of a leaf in place, and date the change so that stale graphs are found."""
    if target.shape != value.shape:
        raise ArgumentError(f"overwrite: expected shape {target.shape}, got {value.shape}")
    if not target._data.flags.writeable:
        raise GraphError(
            "overwrite: a graph recorded inside tg.debug() still needs these values; call "
            "backward() or drop the loss first"
        )
    node = target._node or getattr(target, "_frozen", None)
    if node is None or node.home is None:
        # nobody else needs this memory to change, and somebody may share it
        target._data = np.array(value, target._data.dtype)
    else:
        target._data[...] = value
    if node is not None:
        node.version = last_overwrite[0] = tick()
