"""`Module`: a function with parameters.

Parameters, buffers and submodules are found where they are: in the instance's attributes, in the
order in which they were set. There is no second list that could disagree, and no
`super().__init__()` that could be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self, TypeVar

from ..engine.changes import note_change
from ..engine.errors import ArgumentError, CompileError, DTypeError, TinygradError, UnknownNameError
from ..engine.modes import CHANGED, current_trace
from ..engine.tensor import Tensor
from ..engine.types import Array, np
from . import state as states
from .foreign import refuse_foreign
from .parameter import Parameter

COLLECTIONS = (list, tuple, dict, set, frozenset)
"""In these, modules and parameters would not be found."""

MOST_NESTED = 8
"""Collections in collections beyond this depth are not looked into: one may hold itself."""

T = TypeVar("T")


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
        if CHANGED and (trace := current_trace()) is not None:
            trace.meet(self)
        try:
            return self.forward(*args, **kwargs)
        except TinygradError as error:
            self._locate(error)
            raise
        except (AttributeError, TypeError) as error:
            refuse_foreign(args, type(self).__name__, error)
            raise

    def captured_by(self, trace: Any) -> None:
        """Tell a trace what a call reads and may change: parameters, buffers, the mode."""
        for name, tensor in [*self.named_parameters(), *self.named_buffers()]:
            trace.capture(tensor, name)
        for _, module in self.named_modules():
            trace.fixed_in_layer(module, ".training")
            for name, value in vars(module).items():
                if isinstance(value, KINDS):
                    place = f".{name}" if name.isidentifier() else f".__dict__[{name!r}]"
                    trace.fixed_in_layer(module, place)

    def _locate(self, error: TinygradError) -> None:
        """Tell the error its layer: the innermost module it passed, by path from the outermost."""
        layer = getattr(error, "_module", None)
        if layer is None:
            error._module = layer = self  # type: ignore[attr-defined]
        path = next((name for name, module in self.named_modules() if module is layer), "")
        error.layer = f"{path} ({type(layer).__name__})" if path else type(layer).__name__

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(vars(self).get(name), Parameter) and not isinstance(
            value, (Parameter, type(None))
        ):
            raise DTypeError(
                f"{type(self).__name__}.{name} = {type(value).__name__}: this would take the "
                f"parameter out of the model, and nothing would train it; write "
                f"m.{name}.data = ... for other values, m.{name} = nn.Parameter(...) for another "
                f"parameter (an optimizer keeps the old one), or del m.{name} first"
            )
        if current_trace() is not None and isinstance(value, Tensor):
            self._refuse_computed(name, value)
        if isinstance(value, COLLECTIONS):
            self._refuse_modules_in(name, value)
        elif name in vars(self).get("_buffer_names", ()) and not isinstance(
            value, (Tensor, type(None))
        ):
            value = Tensor(value)
        object.__setattr__(self, name, value)
        note_change()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        note_change()

    def _refuse_computed(self, name: str, value: Tensor) -> None:
        """While a function is traced: a program changes values, not which tensor is where."""
        held = name in vars(self).get("_buffer_names", ()) or isinstance(
            vars(self).get(name), Parameter
        )
        if held and type(value._data) is not np.ndarray:
            raise CompileError(
                f"compile: {type(self).__name__}.{name} = ... inside a compiled function would put "
                f"another tensor in its place; write self.{name}.data = ..., which gives it other "
                f"values"
            )

    def _refuse_modules_in(self, name: str, value: Any) -> None:
        if _holds_modules(value):
            kind = "nn.ModuleDict" if isinstance(value, dict) else "nn.ModuleList"
            inner = "" if kind == "nn.ModuleDict" else " (around inner lists too)"
            raise ArgumentError(
                f"{type(self).__name__}.{name}: modules and parameters inside a "
                f"{type(value).__name__} would not be found and never be trained; write "
                f"{kind}(...){inner} around modules, nn.ParameterList(...) around parameters"
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

    def add_module(self, name: str, module: Module | None) -> None:
        """`setattr(module, name, submodule)`, for names that are made at run time."""
        if not isinstance(module, (Module, type(None))) or hasattr(type(self), name) or "." in name:
            raise ArgumentError(
                f"add_module: expected a free name without dots and a module (or None), got "
                f"{name!r} and {type(module).__name__}"
            )
        setattr(self, name, module)

    def get_submodule(self, target: str) -> Module:
        """The module of a dotted name, as `named_modules` gives it; "" is this one."""
        module: Any = self
        for name in target.split(".") if target else ():
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise UnknownNameError(
                    f"get_submodule: {name!r} in {target!r} is {type(module).__name__}, no module"
                )
        return module  # type: ignore[no-any-return]

    def children(self) -> Iterator[Module]:
        """Every direct submodule, in order, each once."""
        return (child for _, child in self.named_children())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Name and module of every direct submodule, in order; a shared one comes once."""
        seen: set[int] = set()
        for name, child in self._every_child():
            if id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def _every_child(self) -> Iterator[tuple[str, Module]]:
        """Name and direct submodule; a shared one comes under each of its names."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, COLLECTIONS):
                # it may have been empty when it was set
                self._refuse_modules_in(name, value)

    def named_modules(
        self, prefix: str = "", memo: set[int] | None = None
    ) -> Iterator[tuple[str, Module]]:
        """Dotted name and module, this one first (its name is `prefix`); a shared one comes once.

        Args:
            prefix: stands before every name (default nothing).
            memo: ids of modules to leave out; those that come are added (default none).
        """
        memo = set() if memo is None else memo
        if id(self) in memo:
            return
        memo.add(id(self))
        yield prefix, self
        for name, child in self._every_child():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name, memo)

    def _every_module(
        self, prefix: str = "", above: tuple[Module, ...] = ()
    ) -> Iterator[tuple[str, Module]]:
        """Dotted name and module; a shared one comes under each of its names.

        One that stands above itself, as a parent that its child refers to, does not come again.
        """
        yield prefix, self
        above = (*above, self)
        for name, child in self._every_child():
            if all(child is not module for module in above):
                yield from child._every_module(f"{prefix}.{name}" if prefix else name, above)

    def modules(self) -> Iterator[Module]:
        """Every module, from the outermost inwards, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Dotted name and parameter, in the order they were set; a shared one comes once."""
        return _once(_parameters_of(self.named_modules()))

    def parameters(self) -> Iterator[Parameter]:
        """All parameters, in the order they were set."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Dotted name and buffer, in the order they were registered; a shared one comes once."""
        return _once(_buffers_of(self.named_modules()))

    def buffers(self) -> Iterator[Tensor]:
        """All buffers, in the order they were registered."""
        return (buffer for _, buffer in self.named_buffers())

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with every module below this one, then with this one: to initialise anew.

        A module that stands in two places is passed once.

        Example:
            >>> from tinygrad_cs import nn
            >>> def small(module):
            ...     if isinstance(module, nn.Linear):
            ...         nn.init.normal_(module.weight, std=0.01)
            >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh()).apply(small)
        """
        self._apply(fn, set())
        return self

    def _apply(self, fn: Callable[[Module], Any], seen: set[int]) -> None:
        seen.add(id(self))
        for child in self.children():
            if id(child) not in seen:
                child._apply(fn, seen)
        fn(self)

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
        states.convert([*self.parameters(), *self.buffers()], dtype)
        return self

    def double(self) -> Self:
        """`to("float64")`: for checking gradients, where float32 is too coarse."""
        return self.to(np.float64)

    def float(self) -> Self:
        """`to("float32")`."""
        return self.to(np.float32)

    def train(self, mode: bool = True) -> Self:
        """Put this module and all below in training mode (or, with False, evaluation mode)."""
        if not isinstance(mode, (bool, np.bool_)):
            raise ArgumentError(
                f"{type(self).__name__}.train: mode must be True or False, got {mode!r}"
            )
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Put this module and all below in evaluation mode."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set `.grad` of every parameter to None; `set_to_none` must be True."""
        states.check_set_to_none(set_to_none)
        for parameter in self.parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and buffers as NumPy arrays, by dotted name.

        A shared one comes under each of its names, as in PyTorch.
        """
        return {name: np.array(value._data) for name, value in self._state()}

    def _state(self) -> list[tuple[str, Tensor]]:
        modules = list(self._every_module())
        return [*_parameters_of(modules), *_buffers_of(modules)]

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> states.IncompatibleKeys | None:
        """Take over the values of a `state_dict`, converted to each parameter's dtype.

        Args:
            state_dict: arrays (or what `np.asarray` reads, PyTorch's CPU tensors too) by dotted
                name. A shared parameter may come under one or several of its names.
            strict: must every name be there and no other (default True)? With False the others
                are left out, and returned as `missing_keys` and `unexpected_keys`.

        Raises `StateDictError` that lists every missing, unexpected and misshaped entry; then
        nothing was loaded.

        Example:
            >>> from tinygrad_cs import nn
            >>> trained, fresh = nn.Linear(2, 1), nn.Linear(2, 1)
            >>> fresh.load_state_dict(trained.state_dict())
            >>> bool((fresh.weight.data == trained.weight.data).all())
            True
        """
        return states.load(self._state(), state_dict, strict)

    def __getattr__(self, name: str) -> Any:
        known = [n for n in dir(type(self)) if not n.startswith("_")] + list(vars(self))
        raise UnknownNameError(
            f"{type(self).__name__} has no attribute {name!r}{states.nearest(name, known)}"
        )

    def extra_repr(self) -> str:
        """What stands between the parentheses in `repr`."""
        return ""

    def __repr__(self) -> str:
        return "\n".join(self._lines(())) + f"\n{self._count():,} parameters"

    def _count(self) -> int:
        return sum(parameter.size for parameter in self.parameters())

    def _lines(self, above: tuple[Module, ...]) -> list[str]:
        if any(self is module for module in above):
            return [f"{type(self).__name__}(...)  # the one above"]
        children = list(self._every_child())
        head = f"{type(self).__name__}({self.extra_repr()}"
        if not children:
            return [head + ")"]
        lines = [head]
        for name, child in children:
            first, *rest = child._lines((*above, self))
            count = child._count()
            lines.append(f"  {name}: {first}" + (f"  # {count:,}" if count and not rest else ""))
            lines += [f"  {line}" for line in rest]
        return [*lines, ")"]


KINDS = (int, float, str, tuple, type(None), Tensor, Module)
"""Attributes that a program is made for: a mode, a rate, a parameter, a layer."""


def _holds_modules(collection: Any, depth: int = 0) -> bool:
    """Is there a module or a parameter in it, or in a collection in it?"""
    held = collection.values() if isinstance(collection, dict) else collection
    kinds = set(map(type, held))
    if any(issubclass(kind, (Module, Parameter)) for kind in kinds):
        return True
    if depth == MOST_NESTED or not any(issubclass(kind, COLLECTIONS) for kind in kinds):
        return False
    inner = (entry for entry in held if isinstance(entry, COLLECTIONS))
    return any(_holds_modules(entry, depth + 1) for entry in inner)


def _once(named: Iterator[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """Each value under its first name."""
    seen: set[int] = set()
    for name, value in named:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value


def _parameters_of(modules: Iterable[tuple[str, Module]]) -> Iterator[tuple[str, Parameter]]:
    for prefix, module in modules:
        for name, value in vars(module).items():
            if isinstance(value, Parameter):
                yield f"{prefix}.{name}" if prefix else name, value


def _buffers_of(modules: Iterable[tuple[str, Module]]) -> Iterator[tuple[str, Tensor]]:
    for prefix, module in modules:
        for name in vars(module).get("_buffer_names", ()):
            if vars(module)[name] is not None:
                yield f"{prefix}.{name}" if prefix else name, vars(module)[name]
