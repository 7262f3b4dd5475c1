"""The reductions over axes that keep no order: what other families build on."""

from .extremes import max, min
from .sums import expand as expand
from .sums import mean, sum
from .sums import reduced_axes as reduced_axes
from .variance import std, var

__all__ = ["max", "mean", "min", "std", "sum", "var"]
