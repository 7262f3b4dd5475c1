"""What all optimizers share: parameter groups, flat buffers, skipping, state."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from ..engine.errors import ArgumentError, DTypeError, StateDictError
from ..engine.tensor import Tensor
from ..engine.types import Array, np
from .buffer import PIECE, FlatBuffer


class Piece:
    """A stretch of the flat arrays that is updated at one time.

    Attributes:
        w, g: values and gradients.
        state: the optimizer's state arrays, by name.
        scratch: two rows of working memory.
    """

    __slots__ = ("g", "scratch", "state", "w")

    def __init__(self, block: _Block, start: int, stop: int) -> None:
        self.w = block.buffer.values[start:stop]
        self.g = block.buffer.grads[start:stop]
        self.state = {name: array[start:stop] for name, array in block.state.items()}
        self.scratch = block.scratch[:, : stop - start]


class _Block:
    """Parameters of one group and one dtype: their buffer, their state arrays, their step counts.

    `steps` counts per parameter; as long as all are equal, one number does for the whole buffer.
    """

    def __init__(self, parameters: list[Tensor], state_names: tuple[str, ...]) -> None:
        self.buffer = FlatBuffer(parameters)
        values = self.buffer.values
        self.state: dict[str, Array] = {name: np.zeros_like(values) for name in state_names}
        self.scratch: Array = np.empty((2, min(PIECE, len(values))), values.dtype)
        self.steps = [0] * len(parameters)
        self.pieces = list(self.pieces_of(slice(0, len(values))))

    def pieces_of(self, place: slice) -> Iterator[Piece]:
        """A stretch of the buffer in pieces that fit in the cache."""
        for start in range(place.start, place.stop, PIECE):
            yield Piece(self, start, min(start + PIECE, place.stop))


class Optimizer:
    """Base of all optimizers.

    Attributes:
        param_groups: a list of dicts; `"params"` and the hyperparameters, read at every step, so
            that a schedule may change them.

    A parameter whose `.grad` is None is skipped: its value, its state and its step count stay.
    """

    state_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        groups = _groups(params, type(self).__name__)
        self.param_groups: list[dict[str, Any]] = [{**defaults, **group} for group in groups]
        _refuse_duplicates(self.param_groups, type(self).__name__)
        for group in self.param_groups:
            _refuse_unknown(group, defaults, type(self).__name__)
            self.check(group)
        self._lay_out()

    def _lay_out(self) -> None:
        self._blocks = [
            [_Block(same, self.state_names) for same in _by_dtype(group["params"])]
            for group in self.param_groups
        ]

    def __getstate__(self) -> dict[str, Any]:
        # Views of a buffer do not survive a copy as views: the copy lays its own buffer out.
        own = {name: value for name, value in vars(self).items() if name != "_blocks"}
        return own | {"_state": self.state_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        saved = state.pop("_state")
        vars(self).update(state)
        self._lay_out()
        self.load_state_dict(saved)

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ArgumentError` for hyperparameters outside their range."""

    def update(self, group: dict[str, Any], step: int, piece: Piece) -> None:
        """The update rule on flat arrays, changing `piece.w` in place; `step` counts from 1."""
        raise ArgumentError(f"{type(self).__name__} does not define its update rule")

    def zero_grad(self) -> None:
        """Set `.grad` of every parameter to None."""
        for blocks in self._blocks:
            for block in blocks:
                for parameter in block.buffer.parameters:
                    if parameter._node is not None:
                        parameter._node._grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for group, blocks in zip(self.param_groups, self._blocks, strict=True):
            for block in blocks:
                if not block.buffer.claimed():
                    block.buffer.claim()
                self._step_block(group, block)

    def _step_block(self, group: dict[str, Any], block: _Block) -> None:
        ready = block.buffer.with_gradient()
        steps = block.steps
        if all(ready) and steps.count(steps[0]) == len(steps):
            count = steps[0] + 1
            block.steps = [count] * len(steps)
            for piece in block.pieces:
                self.update(group, count, piece)
            block.buffer.changed()
        else:
            for i, place in enumerate(block.buffer.slices):
                if ready[i]:
                    steps[i] += 1
                    for piece in block.pieces_of(place):
                        self.update(group, steps[i], piece)
            block.buffer.changed(ready)

    def state_dict(self) -> dict[str, Any]:
        """Copies of hyperparameters, state arrays and step counts, for `load_state_dict`."""
        groups = [{k: v for k, v in g.items() if k != "params"} for g in self.param_groups]
        state = [
            [
                {"steps": list(block.steps), **{n: a.copy() for n, a in block.state.items()}}
                for block in blocks
            ]
            for blocks in self._blocks
        ]
        return {"param_groups": groups, "state": state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` of an optimizer over the same parameters gave.

        Raises `StateDictError` where groups or sizes differ; then nothing was loaded.
        """
        if not {"param_groups", "state"} <= set(state):
            raise StateDictError(
                f"{type(self).__name__}.load_state_dict: expected what state_dict() gives, with "
                f"'param_groups' and 'state'; got the keys {list(state)}"
            )
        ours = [[self._sizes(b) for b in blocks] for blocks in self._blocks]
        theirs = [[self._sizes_of(s) for s in blocks] for blocks in state["state"]]
        if ours != theirs or len(state["param_groups"]) != len(self.param_groups):
            raise StateDictError(
                f"{type(self).__name__}.load_state_dict: nothing was loaded: the saved state "
                f"belongs to other parameters (sizes {theirs}, here {ours})"
            )
        for group, saved in zip(self.param_groups, state["param_groups"], strict=True):
            group.update(saved)
        for blocks, saved_blocks in zip(self._blocks, state["state"], strict=True):
            for block, saved in zip(blocks, saved_blocks, strict=True):
                block.steps = list(saved["steps"])
                for name, array in block.state.items():
                    array[...] = saved[name]

    def _sizes(self, block: _Block) -> tuple[int, ...]:
        return (len(block.steps), *(a.size for a in block.state.values()))

    def _sizes_of(self, saved: dict[str, Any]) -> tuple[int, ...]:
        return (len(saved["steps"]), *(np.size(saved.get(n, 0)) for n in self.state_names))

    def __repr__(self) -> str:
        groups = "; ".join(
            ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            for group in self.param_groups
        )
        return f"{type(self).__name__}({groups})"


def _groups(params: Any, name: str) -> list[dict[str, Any]]:
    if isinstance(params, Tensor):
        raise ArgumentError(f"{name}: params must be a list of parameters, got a single tensor")
    listed = list(params)
    if not listed:
        raise ArgumentError(
            f"{name}: the parameter list is empty; a generator such as model.parameters() can be "
            f"used up only once"
        )
    if any(isinstance(entry, dict) for entry in listed):
        for i, group in enumerate(listed):
            if not isinstance(group, dict) or "params" not in group:
                raise ArgumentError(
                    f"{name}: entry {i} is not a parameter group; either all entries are "
                    f'parameters, or all are groups such as {{"params": [...], "lr": 0.1}}'
                )
        groups = [{**group, "params": _as_list(group["params"])} for group in listed]
    else:
        groups = [{"params": listed}]
    for group in groups:
        if not group["params"]:
            raise ArgumentError(f"{name}: a parameter group is empty")
        for i, parameter in enumerate(group["params"]):
            _check_parameter(parameter, i, name)
    return groups


def _as_list(params: Any) -> list[Any]:
    return [params] if isinstance(params, Tensor) else list(params)


def _check_parameter(parameter: Any, i: int, name: str) -> None:
    if not isinstance(parameter, Tensor):
        raise DTypeError(f"{name}: parameter {i} is {type(parameter).__name__}, not a tensor")
    if not parameter.requires_grad or not parameter.is_leaf:
        raise ArgumentError(
            f"{name}: parameter {i} of shape {parameter.shape} is not a leaf that requires a "
            f"gradient, so it cannot be trained; leave frozen ones out: "
            f"[p for p in model.parameters() if p.requires_grad]"
        )


def _refuse_duplicates(groups: Iterable[dict[str, Any]], name: str) -> None:
    seen: set[int] = set()
    for group in groups:
        for i, parameter in enumerate(group["params"]):
            if id(parameter) in seen:
                raise ArgumentError(
                    f"{name}: parameter {i} of shape {parameter.shape} is listed twice; it would "
                    f"be updated twice"
                )
            seen.add(id(parameter))


def _by_dtype(parameters: list[Tensor]) -> list[list[Tensor]]:
    dtypes = list(dict.fromkeys(parameter.dtype for parameter in parameters))
    return [[p for p in parameters if p.dtype == dtype] for dtype in dtypes]


def _refuse_unknown(group: dict[str, Any], defaults: dict[str, Any], name: str) -> None:
    for key in group:
        if key not in defaults and key != "params":
            near = difflib.get_close_matches(key, defaults, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ArgumentError(
                f"{name}: a parameter group has no option {key!r}{hint} "
                f"(it takes {', '.join(defaults)})"
            )


def check_not_negative(name: str, group: dict[str, Any], *keys: str) -> None:
    """Raise `ArgumentError` unless these hyperparameters are numbers of 0 or more."""
    for key in keys:
        value = group[key]
        if not isinstance(value, (int, float, np.number)) or not value >= 0:
            raise ArgumentError(f"{name}: {key} must be a number of 0 or more, got {value!r}")
