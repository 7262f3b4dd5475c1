"""What is tried on copies of a model: sanity checks, learning rates, the landscape of the loss."""

from .landscape import Landscape, landscape
from .rates import RateRange, find_lr
from .sanity import sanity_check
from .verdicts import Check, Checks

__all__ = ["Check", "Checks", "Landscape", "RateRange", "find_lr", "landscape", "sanity_check"]
