"""Working on a model without leaving a trace: inside the block, what changes is a copy."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...engine.changes import note_change
from ...engine.modes import enable_grad, generator
from ...nn.module import Module


@contextmanager
def on_copies(model: Module, *others: Any) -> Iterator[tuple[Any, ...]]:
    """A block in which the model's parameters, buffers and other attributes are copies.

    The model itself stays the one that a loss or a penalty may refer to; only what it holds is
    exchanged, so that training inside the block changes no number outside. Afterwards the model,
    the mode of each layer and the library's generator are as they were, after an exception too.

    Args:
        model: computed with inside the block.
        *others: optimizers, losses: given back as copies, over the copied parameters.
    """
    modules = list(model.modules())
    before = [dict(vars(module)) for module in modules]
    # a reference to a module stays one; what it holds is exchanged in its own turn
    memo: dict[int, Any] = {id(module): module for module in modules}
    copies = [{name: _copied(value, memo) for name, value in held.items()} for held in before]
    copied = tuple(_copied(other, memo) for other in others)
    random = generator().bit_generator
    state = random.state
    try:
        for module, held in zip(modules, copies, strict=True):
            vars(module).update(held)
        note_change()
        with enable_grad():
            yield copied
    finally:
        for module, held in zip(modules, before, strict=True):
            vars(module).clear()
            vars(module).update(held)
        note_change()
        random.state = state


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # a file, a lock, a computed tensor kept for looking at
        return value
