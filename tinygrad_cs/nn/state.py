"""The state of a module: values loaded by name, and converted to another dtype."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..engine.arrays import to_array
from ..engine.errors import ArgumentError, DTypeError, StateDictError
from ..engine.node import Leaf
from ..engine.tensor import Tensor, overwrite
from ..engine.types import Array, np

DEVICES = ("cpu", "cuda", "mps", "gpu", "xpu", "tpu")


def nearest(name: str, known: Iterable[str]) -> str:
    """A suggestion for a name that does not exist; empty if none is near."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(..., strict=False)` left out."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load(
    entries: Sequence[tuple[str, Tensor]], state: Mapping[str, Any], strict: bool = True
) -> IncompatibleKeys | None:
    """Write the arrays of `state` into the tensors of these names, or raise and change nothing."""
    if not isinstance(state, Mapping):
        raise ArgumentError(
            f"load_state_dict: expected the dict that state_dict() returns, got "
            f"{type(state).__name__}"
        )
    own = dict(entries)
    left_out = None
    if not strict:
        left_out = _left_out(own, state)
        state = {name: value for name, value in state.items() if name in own}
    arrays = {name: _values(name, value) for name, value in state.items()}
    problems = _differences(own, arrays) if strict else _misshaped(own, arrays)
    if problems:
        raise StateDictError("load_state_dict: nothing was loaded:\n  " + "\n  ".join(problems))
    for name, array in arrays.items():
        overwrite(own[name], array)
    return left_out


def _left_out(own: Mapping[str, Tensor], state: Mapping[str, Any]) -> IncompatibleKeys:
    found = {id(own[name]) for name in state if name in own}
    missing = [name for name, tensor in own.items() if id(tensor) not in found]
    return IncompatibleKeys(missing, [name for name in state if name not in own])


def _values(name: str, value: Any) -> Array:
    if isinstance(value, Mapping):
        raise StateDictError(
            f"load_state_dict: nothing was loaded: the entry {name!r} is itself a dict; if this is "
            f"a checkpoint of several states, load one of them: load_state_dict(state[{name!r}])"
        )
    value = getattr(value, "_data", value)
    try:
        # a tensor of another library keeps its dtype, as an array does
        return to_array(np.asarray(value) if hasattr(value, "__array__") else value)
    except (TypeError, RuntimeError) as error:
        raise DTypeError(
            f"load_state_dict: nothing was loaded: the entry {name!r} cannot be read as an array "
            f"of numbers: {error}"
        ) from error


def _differences(own: Mapping[str, Tensor], arrays: Mapping[str, Array]) -> list[str]:
    # one of its names is enough for a shared parameter
    found = {id(own[name]) for name in arrays if name in own}
    missing = {id(t): f"missing: {name} {t.shape}" for name, t in reversed(list(own.items()))}
    problems = [missing.pop(id(t)) for t in own.values() if id(t) in missing and id(t) not in found]
    problems += [
        f"unexpected: {name} {array.shape}{nearest(name, own)}"
        for name, array in arrays.items()
        if name not in own
    ]
    return problems + _misshaped(own, arrays)


def _misshaped(own: Mapping[str, Tensor], arrays: Mapping[str, Array]) -> list[str]:
    return [
        f"shape of {name}: expected {own[name].shape}, got {array.shape}"
        for name, array in arrays.items()
        if name in own and own[name].shape != array.shape
    ]


def check_set_to_none(set_to_none: Any) -> None:
    """Raise `ArgumentError` unless this is True."""
    if set_to_none is not True:
        raise ArgumentError(
            f"zero_grad: set_to_none must be True, got {set_to_none!r}: a gradient of None tells "
            f"the optimizer to skip a parameter, one of zeros would not; for zeros write "
            f"p.grad = np.zeros(p.shape)"
        )


def convert(tensors: Iterable[Tensor], dtype: Any) -> None:
    """Give the floating ones of these leaves another dtype, in place; their gradients are lost."""
    if isinstance(dtype, str) and dtype.partition(":")[0] in DEVICES:
        raise ArgumentError(
            f"to: {dtype!r} is a device, and there are none here: everything is computed by NumPy "
            f"on the processor; leave this line out, or give a dtype, as in to('float64')"
        )
    chosen = np.dtype(dtype)
    if chosen.kind != "f":
        raise DTypeError(
            f"to: expected a floating dtype, got {chosen}; parameters need one to be learned"
        )
    changing = [t for t in tensors if t.dtype.kind == "f" and t.dtype != chosen]
    if any(_node(t) is not None and _node(t).home is not None for t in changing):
        raise ArgumentError(
            f"to: an optimizer holds these parameters in its own memory; write "
            f"model.to({str(chosen)!r}) before the optimizer is made"
        )
    for tensor in changing:
        requires_grad = tensor.requires_grad
        overwrite(tensor, tensor._data)  # graphs that used the old values are now stale
        tensor._data = tensor._data.astype(chosen)
        tensor._frozen = None
        tensor._node = Leaf(tensor.shape, chosen) if requires_grad else None


def _node(tensor: Tensor) -> Any:
    return tensor._node or getattr(tensor, "_frozen", None)
