"""`Module`: a function with parameters.

Parameters, buffers and submodules are found where they are: in the instance's attributes, in the
order in which they were set. There is no second list that could disagree, and no
`super().__init__()` that could be forgotten.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Self

from ..engine.arrays import to_array
from ..engine.errors import ArgumentError, StateDictError, TinygradError, UnknownNameError
from ..engine.tensor import Tensor, overwrite
from ..engine.types import Array, np
from .parameter import Parameter


class Module:
    """Base of all layers and models: attributes hold parameters, `forward` computes.

    Attributes:
        training: True in training mode (the default), False after `eval()`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> from tinygrad_cs import nn
        >>> class Scale(nn.Module):
        ...     def __init__(self):
        ...         self.factor = nn.Parameter([2.0])
        ...     def forward(self, x):
        ...         return x * self.factor
        >>> Scale()(np.ones(1, "float32"))
        tensor([2.], made_by=multiply)
    """

    training: bool = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; subclasses define it."""
        raise ArgumentError(f"{type(self).__name__} does not define forward(self, x)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`forward`, with the layer's path added to any error."""
        try:
            return self.forward(*args, **kwargs)
        except TinygradError as error:
            self._locate(error)
            raise

    def _locate(self, error: TinygradError) -> None:
        """Tell the error its layer: the innermost module it passed, by path from the outermost."""
        layer = getattr(error, "_module", None)
        if layer is None:
            error._module = layer = self  # type: ignore[attr-defined]
        path = next((name for name, module in self.named_modules() if module is layer), "")
        error.layer = f"{path} ({type(layer).__name__})" if path else type(layer).__name__

    def __setattr__(self, name: str, value: Any) -> None:
        held = value.values() if isinstance(value, dict) else value
        if isinstance(value, (list, tuple, dict)) and any(
            isinstance(entry, (Module, Parameter)) for entry in held
        ):
            raise ArgumentError(
                f"{type(self).__name__}.{name}: modules and parameters inside a "
                f"{type(value).__name__} would not be found and never be trained; use "
                f"nn.Sequential, or set each as an attribute of its own"
            )
        object.__setattr__(self, name, value)

    def register_buffer(self, name: str, value: Any) -> None:
        """Set an attribute that belongs to the state but is not learned (an array or tensor)."""
        if hasattr(type(self), name):
            raise ArgumentError(f"register_buffer: {name!r} is already a name of the class")
        setattr(self, name, value if isinstance(value, Tensor) else Tensor(value))
        self.__dict__.setdefault("_buffer_names", []).append(name)

    def children(self) -> Iterator[tuple[str, Module]]:
        """Name and module of every direct submodule, in order."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Dotted name and module, this one first (its name is `prefix`)."""
        yield prefix, self
        for name, child in self.children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Dotted name and parameter, in the order they were set; a shared one comes once."""
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{prefix}.{name}" if prefix else name, value

    def parameters(self) -> Iterator[Parameter]:
        """All parameters, in the order they were set."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Dotted name and buffer, in the order they were registered."""
        for prefix, module in self.named_modules():
            for name in vars(module).get("_buffer_names", ()):
                yield f"{prefix}.{name}" if prefix else name, getattr(module, name)

    def train(self, mode: bool = True) -> Self:
        """Put this module and all below in training mode (or, with False, evaluation mode)."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Put this module and all below in evaluation mode."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Set `.grad` of every parameter to None."""
        for parameter in self.parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and buffers as NumPy arrays, by dotted name."""
        return {name: np.array(value._data) for name, value in self._state()}

    def _state(self) -> list[tuple[str, Tensor]]:
        return [*self.named_parameters(), *self.named_buffers()]

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the values of a `state_dict`, converted to each parameter's dtype.

        Raises `StateDictError` that lists every missing, unexpected and misshaped entry; then
        nothing was loaded.
        """
        own = dict(self._state())
        arrays = {name: to_array(value) for name, value in state.items()}
        problems = [f"missing: {name} {own[name].shape}" for name in own if name not in arrays]
        problems += [
            f"unexpected: {name} {array.shape}{_nearest(name, own)}"
            for name, array in arrays.items()
            if name not in own
        ]
        problems += [
            f"shape of {name}: expected {own[name].shape}, got {array.shape}"
            for name, array in arrays.items()
            if name in own and own[name].shape != array.shape
        ]
        if problems:
            raise StateDictError("load_state_dict: nothing was loaded:\n  " + "\n  ".join(problems))
        for name, target in own.items():
            overwrite(target, arrays[name])

    def __getattr__(self, name: str) -> Any:
        known = [n for n in dir(type(self)) if not n.startswith("_")] + list(vars(self))
        raise UnknownNameError(
            f"{type(self).__name__} has no attribute {name!r}{_nearest(name, known)}"
        )

    def extra_repr(self) -> str:
        """What stands between the parentheses in `repr`."""
        return ""

    def __repr__(self) -> str:
        return "\n".join(self._lines("")) + f"\n{self._count():,} parameters"

    def _count(self) -> int:
        return sum(parameter.size for parameter in self.parameters())

    def _lines(self, indent: str) -> list[str]:
        children = list(self.children())
        head = f"{type(self).__name__}({self.extra_repr()}"
        if not children:
            return [head + ")"]
        lines = [head]
        for name, child in children:
            first, *rest = child._lines(indent)
            count = child._count()
            lines.append(f"  {name}: {first}" + (f"  # {count:,}" if count and not rest else ""))
            lines += [f"  {line}" for line in rest]
        return [*lines, ")"]


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
