"""Stateless forms of layers and losses, under PyTorch's names and arguments."""

from .activations import *
from .losses import *
from .products import *

__all__ = [
    "check_reduction",
    "cross_entropy",
    "linear",
    "log_softmax",
    "mse_loss",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]
