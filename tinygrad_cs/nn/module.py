"""`Module`: a function with parameters.

Parameters, buffers and submodules are found where they are: in the instance's attributes, in the
order in which they were set. There is no second list that could disagree, and no
`super().__init__()` that could be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from ..engine.errors import ArgumentError, TinygradError, UnknownNameError
from ..engine.tensor import Tensor
from ..engine.types import Array, np
from . import state as states
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
        if isinstance(value, (list, tuple, dict)):
            self._refuse_modules_in(name, value)
        elif name in vars(self).get("_buffer_names", ()) and not isinstance(
            value, (Tensor, type(None))
        ):
            value = Tensor(value)
        object.__setattr__(self, name, value)

    def _refuse_modules_in(self, name: str, value: Any) -> None:
        held = value.values() if isinstance(value, dict) else value
        if any(isinstance(entry, (Module, Parameter)) for entry in held):
            kind = "nn.ModuleDict" if isinstance(value, dict) else "nn.ModuleList"
            raise ArgumentError(
                f"{type(self).__name__}.{name}: modules and parameters inside a "
                f"{type(value).__name__} would not be found and never be trained; write "
                f"{kind}(...) around modules, and set each parameter as an attribute of its own"
            )

    def register_buffer(self, name: str, value: Any) -> None:
        """Set an attribute that belongs to the state but is not learned: an array, tensor or None.

        What is assigned to it later becomes a tensor too; None takes it out of the state.
        """
        if hasattr(type(self), name):
            raise ArgumentError(f"register_buffer: {name!r} is already a name of the class")
        names = self.__dict__.setdefault("_buffer_names", [])
        if name not in names:
            names.append(name)
        setattr(self, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """`setattr(module, name, param)`, for names that are made at run time."""
        if not isinstance(param, (Parameter, type(None))) or hasattr(type(self), name):
            raise ArgumentError(
                f"register_parameter: expected a free name and an nn.Parameter (or None), got "
                f"{name!r} and {type(param).__name__}"
            )
        setattr(self, name, param)

    def children(self) -> Iterator[tuple[str, Module]]:
        """Name and module of every direct submodule, in order."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, (list, tuple, dict)):
                # it may have been empty when it was set
                self._refuse_modules_in(name, value)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Dotted name and module, this one first (its name is `prefix`)."""
        yield prefix, self
        for name, child in self.children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        """Every module, from the outermost inwards, each once."""
        return iter({id(module): module for _, module in self.named_modules()}.values())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Dotted name and parameter, in the order they were set; a shared one comes once."""
        seen: set[int] = set()
        for name, value in self._every_parameter():
            if id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def _every_parameter(self) -> Iterator[tuple[str, Parameter]]:
        """Dotted name and parameter; a shared one comes under each of its names."""
        for prefix, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, Parameter):
                    yield f"{prefix}.{name}" if prefix else name, value

    def parameters(self) -> Iterator[Parameter]:
        """All parameters, in the order they were set."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Dotted name and buffer, in the order they were registered."""
        for prefix, module in self.named_modules():
            for name in vars(module).get("_buffer_names", ()):
                if vars(module)[name] is not None:
                    yield f"{prefix}.{name}" if prefix else name, vars(module)[name]

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with every module below this one, then with this one: to initialise anew.

        Example:
            >>> from tinygrad_cs import nn
            >>> def small(module):
            ...     if isinstance(module, nn.Linear):
            ...         nn.init.normal_(module.weight, std=0.01)
            >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh()).apply(small)
        """
        for _, child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze all parameters (with False), or thaw them; a frozen layer passes gradients on."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def to(self, dtype: Any) -> Self:
        """Convert all parameters and floating buffers to another floating dtype, in place.

        Do it before an optimizer takes the parameters: `ArgumentError` otherwise, since its memory
        keeps their dtype. `DTypeError` for a dtype that is not floating. Gradients are dropped.

        Example:
            >>> from tinygrad_cs import nn
            >>> nn.Linear(2, 1).to("float64").weight.dtype
            dtype('float64')
        """
        states.convert([value for _, value in self._state()], dtype)
        return self

    def double(self) -> Self:
        """`to("float64")`: for checking gradients, where float32 is too coarse."""
        return self.to(np.float64)

    def float(self) -> Self:
        """`to("float32")`."""
        return self.to(np.float32)

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

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the values of a `state_dict`, converted to each parameter's dtype.

        Args:
            state_dict: arrays (or what `np.asarray` reads, PyTorch's CPU tensors too) by dotted
                name. A shared parameter may come under several of its names, as in PyTorch.

        Raises `StateDictError` that lists every missing, unexpected and misshaped entry; then
        nothing was loaded.

        Example:
            >>> from tinygrad_cs import nn
            >>> trained, fresh = nn.Linear(2, 1), nn.Linear(2, 1)
            >>> fresh.load_state_dict(trained.state_dict())
            >>> bool((fresh.weight.data == trained.weight.data).all())
            True
        """
        states.load([*self._every_parameter(), *self.named_buffers()], state_dict)

    def __getattr__(self, name: str) -> Any:
        known = [n for n in dir(type(self)) if not n.startswith("_")] + list(vars(self))
        raise UnknownNameError(
            f"{type(self).__name__} has no attribute {name!r}{states.nearest(name, known)}"
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
