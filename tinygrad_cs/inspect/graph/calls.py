"""Which layer made a node: the calls of a model's modules, as spans of the engine's clock.

Nodes are numbered by a clock as they are made. Noting the time before and after each call of a
module says of every node which calls it was made in, at no cost for the operations.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ...engine.node import tick
from ...nn.module import Module


@dataclass(slots=True, eq=False)
class Call:
    """One call of a module: its dotted path in the model, and when it began and ended."""

    path: str
    module: Module
    start: int
    end: int


@contextlib.contextmanager
def noting_calls(model: Module | None) -> Iterator[list[Call]]:
    """Note every call of the model and its modules inside the block."""
    calls: list[Call] = []
    modules = [] if model is None else list(model.named_modules())
    own = [(module, vars(module).get("forward")) for _, module in modules]
    for path, module in modules:
        vars(module)["forward"] = _noted(path, module, module.forward, calls)
    try:
        yield calls
    finally:
        for module, forward in own:
            if forward is None:
                del vars(module)["forward"]
            else:
                vars(module)["forward"] = forward


def _noted(
    path: str, module: Module, forward: Callable[..., Any], calls: list[Call]
) -> Callable[..., Any]:
    @functools.wraps(forward)
    def noted(*args: Any, **kwargs: Any) -> Any:
        call = Call(path, module, tick(), 0)
        try:
            return forward(*args, **kwargs)
        finally:
            call.end = tick()
            calls.append(call)

    return noted


def chains(nodes: list[Any], calls: list[Call]) -> dict[Any, tuple[Call, ...]]:
    """For every node (oldest first) the calls it was made in, outermost first."""
    waiting = sorted(calls, key=lambda call: call.start, reverse=True)
    open_calls: list[Call] = []
    chain: tuple[Call, ...] = ()
    result = {}
    for node in nodes:
        changed = False
        while waiting and waiting[-1].start < node.order:
            open_calls.append(waiting.pop())
            changed = True
        while open_calls and open_calls[-1].end < node.order:
            open_calls.pop()
            changed = True
        if changed:
            # a call that ended may lie under one that has ended too
            open_calls = [call for call in open_calls if call.end > node.order]
            chain = tuple(open_calls)
        if chain and node.plan is not None:
            result[node] = chain
    return result


def layer_to_show(chain: tuple[Call, ...], depth: float) -> Call | None:
    """The call that one box stands for: at `depth`, or a layer above it that has none in it."""
    if len(chain) > depth:
        return chain[int(depth)]
    innermost = chain[-1] if chain else None
    if innermost is None or any(True for _ in innermost.module.children()):
        return None
    return innermost
