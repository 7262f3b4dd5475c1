"""How a module is made and called in the tests: the same lambda builds ours and PyTorch's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ModuleCase:
    """One module with its arguments and inputs.

    make: called with `tinygrad_cs.nn`, and by the oracle with `torch.nn`.
    inputs: arrays from a generator; floating ones are differentiated, integers are passed on.
    oracle: does PyTorch have it (under these names and arguments)?
    random: does it draw numbers in training mode? Then the oracle compares it in evaluation only.
    smooth: is the second derivative worth checking? (False for kinks that the inputs may meet.)
    """

    make: Callable[[Any], Any]
    inputs: Callable[[np.random.Generator], tuple[Any, ...]]
    oracle: bool = True
    random: bool = False
    smooth: bool = True


def normal(*shapes):
    """Inputs: one array of normal numbers for each shape."""
    return lambda rng: tuple(rng.normal(size=shape) for shape in shapes)


def away_from(kinks, *shape):
    """Inputs: one array of normal numbers, none of them near a kink."""

    def draw(rng):
        x = rng.normal(size=shape) * 2
        for kink in kinks:
            near = np.abs(x - kink) < 0.1
            x[near] = kink + 0.15 * np.where(x[near] < kink, -1, 1)
        return (x,)

    return draw
