"""Layers, under PyTorch's names."""

from .activations import *
from .containers import *
from .linear import *
