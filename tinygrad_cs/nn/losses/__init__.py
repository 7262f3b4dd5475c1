"""Losses as modules, under PyTorch's names."""

from .classification import *
from .regression import *
