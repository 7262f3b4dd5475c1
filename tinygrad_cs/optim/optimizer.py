"""What all optimizers share: parameter groups, flat buffers, skipping, state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

from ..engine.errors import ArgumentError, StateDictError
from ..engine.modes import current_mode, current_trace, enable_grad
from ..engine.tensor import Tensor
from ..engine.threads import WORTH_IT, on_two_threads
from .block import Block, Piece
from .groups import as_params, by_dtype, read_groups, refuse_duplicates, refuse_unknown

Closure = Callable[[], Any]


class Optimizer:
    """Base of all optimizers.

    An optimizer of one's own says which options are allowed (`check`), which arrays it remembers
    (`state_of`), and how it changes a stretch of the flat arrays in place (`update`).

    Attributes:
        param_groups: a list of dicts; `"params"` and the hyperparameters, read at every step, so
            that a schedule may change them.
        defaults: the hyperparameters of groups that do not give their own.

    A parameter whose `.grad` is None is skipped: its value, its state and its step count stay.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> class SignDescent(tg.optim.Optimizer):
        ...     def __init__(self, params, lr=0.1):
        ...         super().__init__(params, {"lr": lr})
        ...     def update(self, group, count, piece):
        ...         piece.w -= group["lr"] * np.sign(piece.g)
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> (w * w).sum().backward()
        >>> SignDescent([w]).step()
        >>> w.data
        array([0.9], dtype=float32)
    """

    threads: ClassVar[bool] = False
    """May `update` run for two pieces at the same time? It must then change nothing but them."""

    switch: ClassVar[str | None] = None
    """The option that, switched on, asks for further arrays of `state_of`: also during training."""

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.param_groups = self._checked(read_groups(params, type(self).__name__))
        self._lay_out()

    def _checked(self, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        name = type(self).__name__
        refuse_duplicates([*self.param_groups, *groups], name)
        filled = [as_params({**self.defaults, **group}) for group in groups]
        for group in filled:
            refuse_unknown(group, self.defaults, name)
            self.check(group)
        return filled

    def _lay_out(self) -> None:
        self._blocks = [self._blocks_of(group) for group in self.param_groups]
        self._params = [group["params"] for group in self.param_groups]

    def _blocks_of(self, group: dict[str, Any]) -> list[Block]:
        state, start = self.state_of(group), self.first_count(group)
        return [Block(same, state, start) for same in by_dtype(group["params"])]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Train more parameters, with their own hyperparameters, from now on.

        Args:
            param_group: `{"params": [...], "lr": ...}`; what is left out is taken from `defaults`.

        Raises `ArgumentError` for unknown options and for parameters that are here already.
        """
        if not isinstance(param_group, dict):
            raise ArgumentError(
                f"{type(self).__name__}.add_param_group: expected a dict such as "
                f'{{"params": [...], "lr": 0.1}}, got {type(param_group).__name__}'
            )
        groups = self._checked(read_groups([param_group], type(self).__name__))
        self._blocks += [self._blocks_of(group) for group in groups]
        self._params += [group["params"] for group in groups]
        self.param_groups += groups

    def __getstate__(self) -> dict[str, Any]:
        # Views of a buffer do not survive a copy as views: the copy lays its own buffer out.
        own = {
            name: value for name, value in vars(self).items() if name not in ("_blocks", "_params")
        }
        return own | {"_state": self.state_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        saved = state.pop("_state")
        vars(self).update(state)
        self._lay_out()
        resumed = self._resumed
        self.load_state_dict(saved)
        self._resumed = resumed

    def check(self, group: dict[str, Any]) -> None:
        """Raise `ArgumentError` for hyperparameters outside their range."""

    def state_of(self, group: dict[str, Any]) -> Mapping[str, float]:
        """The arrays that are kept beside the parameters: each name with its value at the start."""
        return {}

    def first_count(self, group: dict[str, Any]) -> Any:
        """The count of a parameter before its first step."""
        return 0

    def advance(self, group: dict[str, Any], count: Any) -> Any:
        """The count of a parameter after one more step: `update` gets it, `state_dict` keeps it.

        A number, unless a rule needs to know more of the past than an array should hold.
        """
        return count + 1

    def update(self, group: dict[str, Any], count: Any, piece: Piece) -> None:
        """The update rule on flat arrays, changing `piece.w` in place; `count` starts at 1."""
        raise ArgumentError(f"{type(self).__name__} does not define its update rule")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set `.grad` of every parameter to None, of frozen ones too.

        Args:
            set_to_none: must be True (PyTorch's default too): zeros would not be skipped.
        """
        if set_to_none is not True:
            raise ArgumentError(
                f"{type(self).__name__}.zero_grad: set_to_none must be True, got {set_to_none!r}: "
                f"a gradient of None tells the optimizer to skip a parameter, one of zeros would "
                f"not; for zeros write p.grad = np.zeros(p.shape)"
            )
        trace = current_trace()
        if trace is not None:
            trace.meet(self)
        for blocks in self._blocks:
            for block in blocks:
                for parameter in block.buffer.parameters:
                    node = parameter._node
                    if trace is not None:
                        trace.drops_gradient(parameter)
                    if node is None:  # frozen
                        node = getattr(parameter, "_frozen", None)
                    if node is not None:
                        node._grad = None

    def step(self, closure: Closure | None = None) -> Any:
        """Update every parameter that has a gradient; without any gradient, nothing happens.

        Args:
            closure: computes the loss anew, calls `backward()` on it and returns it (optional).

        Returns what `closure` returned, or None.
        """
        loss = None if closure is None else evaluate(closure)
        self._check_groups()
        trace = current_trace()
        if trace is not None:
            self._step_traced(trace)
            return loss
        for group, blocks in zip(self.param_groups, self._blocks, strict=True):
            for block in blocks:
                if not block.buffer.claimed():
                    block.buffer.claim()
                self._step_block(group, block)
        return loss

    def _check_groups(self) -> None:
        """Raise if somebody has put other parameters into `param_groups`; lay late state out."""
        if self._resumed is not None:
            self._resumed = None
        switch, params = self.switch, self._params
        for i, group in enumerate(self.param_groups):
            if i >= len(params) or group["params"] is not params[i]:
                raise self._other_groups()
            if switch is not None and group[switch]:
                for block in self._blocks[i]:
                    block.add_state(self.state_of(group))
        if len(self.param_groups) < len(params):
            raise self._other_groups()

    def _other_groups(self) -> ArgumentError:
        return ArgumentError(
            f"{type(self).__name__}.step: param_groups holds other parameters than those that "
            f"were given to the optimizer; their values lie in one array, so that changing "
            f"the list changes nothing; write optimizer.add_param_group({{'params': [...]}}) "
            f"to train more, or make a new optimizer"
        )

    def captured_by(self, trace: Any) -> None:
        """Tell a trace what a step reads: rates, flat arrays, counts."""
        trace.fixed(self, ".param_groups", "len({})")
        for i, (group, blocks) in enumerate(zip(self.param_groups, self._blocks, strict=True)):
            trace.fixed(self, f".param_groups[{i}]")
            trace.hyperparameters(group)
            for block in blocks:
                block.captured_by(trace)

    def _step_traced(self, trace: Any) -> None:
        """One step as part of a program; the counts advance when the program has run."""
        trace.meet(self)
        trace.gradients_are_read = True
        with trace.in_part("update"):
            for group, blocks in zip(self.param_groups, self._blocks, strict=True):
                for block in blocks:
                    ready = block.buffer.with_gradient()
                    self._step_block(group, block)
                    trace.after_call(partial(self._stepped, group, block, ready))

    def _stepped(self, group: dict[str, Any], block: Block, ready: list[bool]) -> None:
        """What a step leaves to do beside the arrays: the counts, and the date of the change."""
        counts = block.counts
        if all(ready) and counts.count(counts[0]) == len(counts):
            block.counts = [self.advance(group, counts[0])] * len(counts)
            block.buffer.changed()
        else:
            block.counts = [
                self.advance(group, count) if stepped else count
                for count, stepped in zip(counts, ready, strict=True)
            ]
            block.buffer.changed(ready)

    def _step_block(self, group: dict[str, Any], block: Block) -> None:
        ready = block.buffer.with_gradient()
        counts = block.counts
        if all(ready) and counts.count(counts[0]) == len(counts):
            count = self.advance(group, counts[0])
            block.counts = [count] * len(counts)
            if self.threads and block.buffer.values.size >= WORTH_IT and current_trace() is None:
                on_two_threads(partial(self.update, group, count), block.pieces)
            else:
                for piece in block.pieces:
                    self.update(group, count, piece)
            block.buffer.changed()
        else:
            for i, place in enumerate(block.buffer.slices):
                if ready[i]:
                    counts[i] = self.advance(group, counts[i])
                    for piece in block.pieces_of(place):
                        self.update(group, counts[i], piece)
            block.buffer.changed(ready)

    @property
    def state(self) -> Mapping[Tensor, Mapping[str, Any]]:
        """For each parameter its step count and read-only views of its state, by name."""
        looked_at: dict[Tensor, Mapping[str, Any]] = {}
        for block in (block for blocks in self._blocks for block in blocks):
            places = zip(block.buffer.parameters, block.buffer.slices, block.counts, strict=True)
            for parameter, place, count in places:
                entry = {"step": count[0] if isinstance(count, tuple) else count}
                for name, array in block.state.items():
                    entry[name] = array[place].reshape(parameter.shape)
                    entry[name].flags.writeable = False
                looked_at[parameter] = MappingProxyType(entry)
        return MappingProxyType(looked_at)

    def state_dict(self) -> dict[str, Any]:
        """Copies of hyperparameters, state arrays and step counts, for `load_state_dict`."""
        groups = [{k: v for k, v in g.items() if k != "params"} for g in self.param_groups]
        state = [[block.saved() for block in blocks] for blocks in self._blocks]
        return {"param_groups": groups, "state": state}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` of an optimizer over the same parameters gave.

        Raises `StateDictError` that lists everything missing, unexpected or misshaped; then nothing
        was loaded.
        """
        problems = self._problems(state_dict)
        if problems:
            raise StateDictError(
                f"{type(self).__name__}.load_state_dict: nothing was loaded:\n  "
                + "\n  ".join(problems)
            )
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({key: value for key, value in saved.items() if key != "params"})
        for blocks, saved_blocks in zip(self._blocks, state_dict["state"], strict=True):
            for block, saved in zip(blocks, saved_blocks, strict=True):
                block.load(saved)
        self._resumed = []

    _resumed: list[dict[str, Any]] | None = None
    """Since `load_state_dict` and up to a schedule's step: the options that the first schedule
    made after it found, empty where none was made; None otherwise."""

    def _problems(self, saved: Mapping[str, Any]) -> list[str]:
        if not isinstance(saved, Mapping) or not {"param_groups", "state"} <= set(saved):
            got = list(saved) if isinstance(saved, Mapping) else type(saved).__name__
            return [f"expected what state_dict() gives, with 'param_groups' and 'state'; got {got}"]
        counts = len(self.param_groups), len(saved["param_groups"]), len(saved["state"])
        if len(set(counts)) > 1:
            return [f"{counts[1]} parameter groups, expected {counts[0]}"]
        problems = []
        entries = zip(self._blocks, saved["param_groups"], saved["state"], strict=True)
        for i, (blocks, options, states) in enumerate(entries):
            found = [f"missing option: {key!r}" for key in self.defaults if key not in options]
            if not found:
                try:
                    self.check(options)
                except ArgumentError as error:
                    found.append(str(error))
            if len(states) != len(blocks):
                found.append(f"parameters of {len(states)} dtypes, expected {len(blocks)}")
            else:
                pairs = zip(blocks, states, strict=True)
                found += [line for block, state in pairs for line in block.problems(state)]
            problems += [f"group {i}: {line}" for line in found]
        return problems

    def __repr__(self) -> str:
        groups = "; ".join(
            ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")
            for group in self.param_groups
        )
        return f"{type(self).__name__}({groups})"


def evaluate(closure: Closure) -> Any:
    """The loss that a user's closure returns, recorded even where the step stands in `no_grad`."""
    if current_mode().recording:
        return closure()
    with enable_grad():
        return closure()
