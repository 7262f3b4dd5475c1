"""Stand-ins for arrays and generators that write down what is done with them.

A `Traced` array looks like an array to NumPy's functions, to the operations and to their rules. It
holds an example value, so shapes and dtypes are known, and it is nothing else: whoever asks it for
a number (a branch, a loop over its entries) asks for something that the program cannot know.
"""

from __future__ import annotations

from typing import Any

from ...engine.node import OPERAND_KINDS
from ...engine.scalar import Scalar
from ...engine.tensor import Tensor
from ...engine.types import np
from ..program import Var
from .stand_in import ShapeNeeded, StandIn, ValueNeeded, example_of, ufunc_called


class Traced(StandIn, np.lib.mixins.NDArrayOperatorsMixin):  # type: ignore[misc]
    """An array of the program: its value for the example, its name, and where to write."""

    __slots__ = ()
    __hash__ = object.__hash__

    # who asks whether this is an array (rather than a list, say) is told that it is
    __class__ = property(lambda self: np.ndarray)

    shape = property(lambda self: self.example.shape)
    dtype = property(lambda self: self.example.dtype)
    ndim = property(lambda self: self.example.ndim)
    size = property(lambda self: self.example.size)
    itemsize = property(lambda self: self.example.itemsize)
    nbytes = property(lambda self: self.example.nbytes)
    strides = property(lambda self: self.example.strides)
    flags = property(lambda self: self.example.flags)

    @property
    def base(self) -> Any:
        """Something, where the memory is another array's; None where it is its own."""
        return None if self.stands_for.base is self.stands_for else self.stands_for.base

    @property
    def T(self) -> Any:
        """The transpose."""
        return self.recorder.record("attribute", "T", (self,), {}, self.example.T)

    def __pow__(self, exponent: Any) -> Any:
        # as the operator of arrays does
        quick = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal}
        if type(exponent) in (int, float) and exponent in quick:
            return quick[exponent](self)
        return np.power(self, exponent)

    def __len__(self) -> int:
        return len(self.example)

    @property
    def mT(self) -> Any:
        """The transpose of every matrix in a stack."""
        return self.recorder.record("attribute", "mT", (self,), {}, self.example.mT)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self.example)))

    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, Traced) and part.dtype == bool for part in parts):
            raise ShapeNeeded("the shape of x[mask] depends on how many entries are chosen")
        result = self.example[example_of(index)]
        return self.recorder.record("item", "item", (self, index), {}, result)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.example[example_of(index)] = example_of(value)
        self.recorder.record("store", "store", (self, index, value), {}, None, writes=self)

    __array_ufunc__ = ufunc_called

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(t, (Tensor, Scalar)) for t in types):
            return NotImplemented
        result = function(*example_of(args), **example_of(kwargs))
        if function in _OF_SHAPES:
            return result
        alone = function is np.where and len(args) == 1
        repeats = function is np.repeat and isinstance(args[1], Traced)
        if function in _OF_VALUES or alone or repeats:
            raise ShapeNeeded(f"the shape of np.{function.__name__} depends on values")
        written = args[0] if function is np.copyto else kwargs.get("out")
        if written is not None and not isinstance(written, Traced):
            raise ValueNeeded(f"{function.__name__} into an array that is not part of the program")
        return self.recorder.record("call", function, args, kwargs, result, writes=written)

    def _needed(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueNeeded("the value of an array decides")

    def __bool__(self) -> bool:
        decided: bool = self.recorder.decide(self)
        return decided

    __float__ = __int__ = __index__ = __complex__ = _needed
    __array__ = __contains__ = tolist = _needed

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"'ndarray' object has no attribute {name!r}")
        raise ValueNeeded(
            f"the method or attribute {name!r} of arrays is none that a program can have",
            "call a function of NumPy that returns a new array, such as np.sort(x), or do it "
            "outside of the function",
        )

    def __repr__(self) -> str:
        return f"<the array {self.stands_for.name} of a program, {self.shape} {self.dtype}>"

    def __format__(self, spec: str) -> str:
        return self._needed() if spec else repr(self)

    def item(self) -> Any:
        """The number in an array of one, as a number of the program."""
        return self.recorder.record("method", "item", (self,), {}, self.example.item())


_OF_VALUES = {
    np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract, np.bincount,
    np.union1d, np.intersect1d, np.setdiff1d, np.trim_zeros, np.delete,
}  # fmt: skip
"""What gives an array of another shape for other values."""

_OF_SHAPES = {np.shape, np.ndim, np.size, np.result_type, np.may_share_memory}

_METHODS = """
    all any argmax argmin argpartition argsort astype clip copy cumprod cumsum diagonal dot fill
    flatten max mean min prod ravel repeat reshape round squeeze std sum swapaxes take
    transpose var view
"""


def _method(name: str) -> Any:
    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        result = getattr(self.example, name)(*example_of(args), **example_of(kwargs))
        writes = self if name == "fill" else None
        return self.recorder.record("method", name, (self, *args), kwargs, result, writes=writes)

    return method


for _name in _METHODS.split():
    setattr(Traced, _name, _method(_name))


def _sum(self: Traced, axis: Any = None, keepdims: bool = False) -> Any:
    axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
    kwargs = {"keepdims": True} if keepdims else {}
    return np.add.reduce(self, axis=axis, **kwargs)


Traced.sum = _sum


class TracedObject(StandIn):
    """Something that is neither array nor number, passed from one step to another."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{self.stands_for.name} of a program>"

    def __getattr__(self, name: str) -> Any:
        raise ValueNeeded(f"the attribute {name!r} of an object that is only traced")


class TracedGenerator(StandIn):
    """The random generator of the program: every draw is a statement, and drawn in every call."""

    __slots__ = ()

    def __init__(self, example: Any, recorder: Any) -> None:
        super().__init__(example, Var(recorder.new_name("random")), recorder)
        recorder.program.inputs.append(self.stands_for)

    def __getattr__(self, name: str) -> Any:
        drawn = getattr(self.example, name)

        def draw(*args: Any, **kwargs: Any) -> Any:
            result = drawn(*example_of(args), **example_of(kwargs))
            return self.recorder.record("draw", name, (self, *args), kwargs, result)

        return draw


OPERAND_KINDS[Traced] = "array"
