"""Optimizers on one flat buffer."""

from .algorithms import SGD, Adam
from .optimizer import Optimizer

__all__ = ["SGD", "Adam", "Optimizer"]
