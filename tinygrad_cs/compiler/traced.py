"""Stand-ins for arrays and numbers that write down what is done with them.

A `Traced` array looks like an array to NumPy's functions, to the operations and to their rules. It
holds an example value, so shapes and dtypes are known, and it is nothing else: whoever asks it for
a number (a branch, a loop over its entries) asks for something that the program cannot know.
"""

from __future__ import annotations

import operator
import sys
from typing import Any

from ..engine.node import OPERAND_KINDS
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from ..engine.types import np
from .program import Var, mapped


class ValueNeeded(Exception):
    """Something asked for the value of an array that is only traced.

    Attributes:
        site: the user's line that asked.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.site = users_line()


def users_line() -> str:
    """File and line of the innermost code on the way here that is not the library's."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name and not name.startswith(("tinygrad_cs", "numpy", "contextlib")):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def example_of(tree: Any) -> Any:
    """Nested arguments with examples in the place of what is traced."""
    return mapped(tree, lambda x: x.example if isinstance(x, STAND_INS) else x)


class Traced(np.lib.mixins.NDArrayOperatorsMixin):  # type: ignore[misc]
    """An array of the program: its value for the example, its name, and where to write."""

    __slots__ = ("example", "recorder", "stands_for")
    __hash__ = object.__hash__

    def __init__(self, example: Any, var: Var, recorder: Any) -> None:
        self.example = example
        self.stands_for = var
        self.recorder = recorder

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
        result = self.example[example_of(index)]
        return self.recorder.record("item", "item", (self, index), {}, result)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.example[example_of(index)] = example_of(value)
        self.recorder.record("store", "store", (self, index, value), {}, None, writes=self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, (Tensor, Scalar)) for x in inputs):
            return NotImplemented  # they know what to do with an array
        call = ufunc if method == "__call__" else getattr(ufunc, method)
        out = kwargs.get("out", (None,))
        if len(out) == 1:  # one output: NumPy hands it over in a tuple
            kwargs.pop("out", None)
            written = out[0] if method != "at" else inputs[0]
            given = {} if out[0] is None else {"out": out[0]}
        else:
            raise ValueNeeded(f"{ufunc.__name__} with several outputs")
        if written is not None and not isinstance(written, Traced):
            raise ValueNeeded(f"{ufunc.__name__} into an array that is not part of the program")
        result = call(*example_of(inputs), **example_of(kwargs | given))
        if written is None:
            return self.recorder.record("call", call, inputs, kwargs, result)
        self.recorder.record("call", call, inputs, kwargs | given, None, writes=written)
        return written

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if any(issubclass(t, (Tensor, Scalar)) for t in types):
            return NotImplemented
        result = function(*example_of(args), **example_of(kwargs))
        if function in _OF_SHAPES:
            return result
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

    def item(self) -> Any:
        """The number in an array of one, as a number of the program."""
        return self.recorder.record("method", "item", (self,), {}, self.example.item())


_OF_SHAPES = {np.shape, np.ndim, np.size, np.result_type, np.may_share_memory}

_METHODS = """
    all any argmax argmin argpartition argsort astype clip copy cumprod cumsum diagonal dot fill
    flatten max mean min nonzero prod ravel repeat reshape round squeeze std sum swapaxes take
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


class TracedNumber:
    """A Python number of the program: a learning rate, a count of steps, one entry of an array.

    A `steady` one comes from outside, and the trace holds only while its truth is the same.
    """

    __slots__ = ("example", "recorder", "stands_for", "steady")
    __hash__ = object.__hash__

    def __init__(self, example: Any, var: Var, recorder: Any, steady: bool = False) -> None:
        self.example = example
        self.stands_for = var
        self.recorder = recorder
        self.steady = steady

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return Traced.__array_ufunc__(self, ufunc, method, *inputs, **kwargs)  # type: ignore[arg-type]

    def __bool__(self) -> bool:
        decided: bool = bool(self.example) if self.steady else self.recorder.decide(self)
        return decided

    def _needed(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueNeeded("a number that changes from call to call decides")

    __float__ = __int__ = __index__ = _needed


def _operator(symbol: str, function: Any) -> tuple[Any, Any]:
    def forward(self: TracedNumber, other: Any) -> Any:
        if not isinstance(other, (int, float, TracedNumber)):
            return NotImplemented
        result = function(self.example, example_of(other))
        return self.recorder.record("operator", symbol, (self, other), {}, result)

    def backward(self: TracedNumber, other: Any) -> Any:
        if not isinstance(other, (int, float)):
            return NotImplemented
        result = function(other, self.example)
        return self.recorder.record("operator", symbol, (other, self), {}, result)

    return forward, backward


for _symbol, _name in [("+", "add"), ("-", "sub"), ("*", "mul"), ("/", "truediv"), ("**", "pow")]:
    _forward, _backward = _operator(_symbol, getattr(operator, _name))
    setattr(TracedNumber, f"__{_name}__", _forward)
    setattr(TracedNumber, f"__r{_name}__", _backward)

for _symbol, _name in [
    ("<", "lt"),
    ("<=", "le"),
    (">", "gt"),
    (">=", "ge"),
    ("==", "eq"),
    ("!=", "ne"),
]:
    setattr(TracedNumber, f"__{_name}__", _operator(_symbol, getattr(operator, _name))[0])


class TracedObject:
    """Something that is neither array nor number, passed from one step to another."""

    def __init__(self, example: Any, var: Var, recorder: Any) -> None:
        self.example = example
        self.stands_for = var
        self.recorder = recorder

    def __getattr__(self, name: str) -> Any:
        raise ValueNeeded(f"the attribute {name!r} of an object that is only traced")


class TracedGenerator:
    """The random generator of the program: every draw is a statement, and drawn in every call."""

    def __init__(self, example: Any, recorder: Any) -> None:
        self.example = example
        self.recorder = recorder
        self.stands_for = Var(recorder.new_name("random"))
        recorder.program.inputs.append(self.stands_for)

    def __getattr__(self, name: str) -> Any:
        drawn = getattr(self.example, name)

        def draw(*args: Any, **kwargs: Any) -> Any:
            result = drawn(*example_of(args), **example_of(kwargs))
            return self.recorder.record("draw", name, (self, *args), kwargs, result)

        return draw


STAND_INS = (Traced, TracedNumber, TracedObject, TracedGenerator)

OPERAND_KINDS[Traced] = "array"
OPERAND_KINDS[TracedNumber] = "number"
