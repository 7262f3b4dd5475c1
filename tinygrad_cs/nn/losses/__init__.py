"""Losses as modules, under PyTorch's names."""

from .binary import *
from .classification import *
from .divergences import *
from .embeddings import *
from .regression import *
