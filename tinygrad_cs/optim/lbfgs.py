"""L-BFGS: Newton's method with a curvature that is learnt from the last steps."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ..engine.errors import ArgumentError, CompileError, DTypeError
from ..engine.modes import current_trace
from ..engine.types import Array, np
from .block import Block
from .groups import check_not_negative
from .line_search import Point, strong_wolfe
from .optimizer import Closure, Optimizer, evaluate

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """L-BFGS: quasi-Newton steps for losses that are the same at every evaluation.

        d = -H g,  w <- w + t d

    H approximates the inverse of the matrix of second derivatives from the last `history_size`
    pairs s = t d, y = g_new - g, without ever being written out (Liu and Nocedal 1989; Nocedal and
    Wright 2006, algorithm 7.4). Made for full batches: minibatches and dropout change the loss
    between evaluations, and differences of gradients are then mostly noise. Without line search
    the steps can diverge: `line_search_fn="strong_wolfe"` is the safe choice.

    A parameter without a gradient counts as having a gradient of zeros. There is one group, of one
    dtype.

    Args:
        params: parameters.
        lr: length of a step in units of d, with line search that of the first trial (default 1).
        max_iter: iterations of one `step` (default 20).
        max_eval: evaluations of the closure in one `step` (default 5/4 of `max_iter`).
        tolerance_grad: enough when no entry of the gradient is larger (default 1e-7).
        tolerance_change: enough when the loss, or every weight, changes less (default 1e-9).
        history_size: pairs that are kept (default 100); each takes two arrays of all parameters.
        line_search_fn: None (default) or "strong_wolfe".

    Raises `ArgumentError` when `step` is called without a closure.

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([3.0, -2.0], requires_grad=True)
        >>> optimizer = tg.optim.LBFGS([w], line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = ((w - 1.0) ** 2).sum()
        ...     loss.backward()
        ...     return loss
        >>> float(optimizer.step(closure).item())
        13.0
        >>> w.data.round(4)
        array([1., 1.], dtype=float32)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None and isinstance(max_iter, int):
            max_eval = max_iter * 5 // 4
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        self._memory = _Memory()
        super().__init__(params, defaults)

    def _checked(self, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.param_groups or len(groups) > 1:
            raise ArgumentError(
                "LBFGS: one direction serves all parameters, so there is a single group; "
                "pass one list of parameters"
            )
        dtypes = sorted({str(parameter.dtype) for parameter in groups[0]["params"]})
        if len(dtypes) > 1:
            raise DTypeError(f"LBFGS: all parameters must have one dtype, got {', '.join(dtypes)}")
        return super()._checked(groups)

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero, whole numbers of at least one, a line search that exists."""
        check_not_negative("LBFGS", group, "lr", "tolerance_grad", "tolerance_change")
        for key in ("max_iter", "max_eval", "history_size"):
            value = group[key]
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
                raise ArgumentError(
                    f"LBFGS: {key} must be a whole number of 1 or more, got {value!r}"
                )
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ArgumentError(
                f"LBFGS: line_search_fn must be None or 'strong_wolfe', "
                f"got {group['line_search_fn']!r}"
            )

    def step(self, closure: Closure | None = None) -> Any:
        """Up to `max_iter` iterations.

        Args:
            closure: sets gradients to None, computes the loss anew, calls `backward()` on it and
                returns it.

        Returns the loss before the step.
        """
        if closure is None:
            raise ArgumentError(
                "LBFGS.step: one step evaluates the loss several times; write a function that "
                "calls optimizer.zero_grad(), computes the loss, calls loss.backward() and returns "
                "the loss, and pass it: optimizer.step(closure)"
            )
        if current_trace() is not None:
            raise CompileError(
                "compile: a step of LBFGS searches, and what it computes depends on the losses it "
                "finds; compile the closure: optimizer.step(tg.compile(closure))"
            )
        self._check_groups()
        ((block,),), (group,) = self._blocks, self.param_groups
        loss = evaluate(closure)
        _Descent(block, group, self._memory, closure).run(_number(loss))
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Copies of hyperparameters and of the pairs that H is made of."""
        return super().state_dict() | {"memory": copy.deepcopy(vars(self._memory))}

    def _problems(self, saved: Mapping[str, Any]) -> list[str]:
        problems = super()._problems(saved)
        if problems:
            return problems
        names, memory = set(vars(self._memory)), saved.get("memory", {})
        if not isinstance(memory, Mapping) or set(memory) != names:
            return [f"'memory': expected a dict of {sorted(names)}"]
        size = len(self._blocks[0][0].buffer.values)
        arrays = [memory["direction"], memory["gradient"], *(a for p in memory["pairs"] for a in p)]
        wrong = {np.shape(a) for a in arrays if a is not None} - {(size,)}
        return [f"'memory': arrays of shape {shape}, expected {(size,)}" for shape in wrong]

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """See `Optimizer.load_state_dict`; raises `StateDictError` likewise."""
        super().load_state_dict(state_dict)
        vars(self._memory).update(copy.deepcopy(dict(state_dict["memory"])))


class _Memory:
    """What one iteration leaves to the next, in this `step` or the following one."""

    def __init__(self) -> None:
        self.iterations = 0
        self.evaluations = 0
        self.direction: Any = None
        self.length = 0.0
        self.gradient: Any = None
        self.pairs: list[tuple[Array, Array]] = []
        self.scale = 1.0

    def learn(self, gradient: Array, history_size: int) -> None:
        """Take up the pair of the last step, if the loss curves upwards along it."""
        y = gradient - self.gradient
        s = self.length * self.direction
        curvature = float(s @ y)
        if curvature > 1e-10:
            self.pairs = [*self.pairs, (s, y)][-history_size:]
            self.scale = curvature / float(y @ y)

    def newton_direction(self, gradient: Array) -> Array:
        """-H g, by two walks through the pairs: back to the oldest, and forth again."""
        d = -gradient
        removed = []
        for s, y in reversed(self.pairs):
            share = float(s @ d) / float(s @ y)
            d -= share * y
            removed.append(share)
        d *= self.scale
        for (s, y), share in zip(self.pairs, reversed(removed), strict=True):
            d += (share - float(y @ d) / float(s @ y)) * s
        return d


class _Descent:
    """One `step`: iterations on a flat buffer."""

    def __init__(
        self, block: Block, group: dict[str, Any], memory: _Memory, closure: Closure
    ) -> None:
        self.block, self.group, self.memory, self.closure = block, group, memory, closure
        self.evaluations = 1

    def gradient(self) -> Array:
        """All gradients in one array, zero where there is none."""
        buffer = self.block.buffer
        if not buffer.claimed():
            buffer.claim()
        flat = buffer.grads.copy()
        for ready, place in zip(buffer.with_gradient(), buffer.slices, strict=True):
            if not ready:
                flat[place] = 0
        return flat

    def move_to(self, values: Array) -> None:
        """Put all parameters there."""
        self.block.buffer.values[...] = values
        self.block.buffer.changed()

    def evaluate(self) -> tuple[float, Array]:
        """Loss and gradient where the parameters are."""
        return _number(evaluate(self.closure)), self.gradient()

    def run(self, loss: float) -> None:
        """Iterate until nothing is to be gained, or the limits of the group are reached."""
        group, memory = self.group, self.memory
        gradient = self.gradient()
        small = bool(np.abs(gradient).max(initial=0) <= group["tolerance_grad"])
        for iteration in range(1, group["max_iter"] + 1):
            if small:
                break
            memory.iterations += 1
            length = group["lr"]
            if memory.iterations == 1:
                memory.direction = -gradient
                length *= min(1.0, 1 / float(np.abs(gradient).sum()))
            else:
                memory.learn(gradient, group["history_size"])
                memory.direction = memory.newton_direction(gradient)
            memory.gradient, memory.length = gradient, length
            slope = float(gradient @ memory.direction)
            if slope > -group["tolerance_change"]:
                break
            before = loss
            last = iteration == group["max_iter"]
            loss, gradient = self.advance(loss, gradient, slope, last)
            moved = float(np.abs(memory.direction).max()) * memory.length
            small = bool(np.abs(gradient).max() <= group["tolerance_grad"])
            if (
                self.evaluations >= group["max_eval"]
                or moved <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        memory.evaluations += self.evaluations

    def advance(
        self, loss: float, gradient: Array, slope: float, last: bool
    ) -> tuple[float, Array]:
        """Go along the direction; loss and gradient there (the last time without line search: here,
        because the next `step` evaluates there anyway).
        """
        memory, group = self.memory, self.group
        origin, direction = self.block.buffer.values.copy(), memory.direction
        if group["line_search_fn"] is None:
            self.move_to(origin + memory.length * direction)
            if last:
                return loss, gradient
            self.evaluations += 1
            return self.evaluate()

        def at(t: float) -> Point:
            self.move_to(origin + t * direction)
            loss, gradient = self.evaluate()
            return Point(t, loss, gradient, float(gradient @ direction))

        width = group["tolerance_change"] / float(np.abs(direction).max())
        start = Point(0.0, loss, gradient, slope)
        most = group["max_eval"] - self.evaluations
        point, used = strong_wolfe(at, start, memory.length, width, most)
        self.evaluations += used
        self.move_to(origin + point.t * direction)
        memory.length = point.t
        return point.loss, point.gradient


def _number(loss: Any) -> float:
    if loss is None:
        raise ArgumentError("LBFGS.step: the closure returned None; it must return the loss")
    return float(loss.item() if hasattr(loss, "item") else loss)
