"""Data sets that need no file of the user's: generated ones, and those scikit-learn brings."""

from .arcs import two_circles, two_moons
from .blobs import blobs
from .boards import checkerboard, xor
from .regression import regression
from .scikit_learn import load_breast_cancer, load_digits, load_iris, load_wine
from .spirals import two_spirals

__all__ = [
    "blobs",
    "checkerboard",
    "load_breast_cancer",
    "load_digits",
    "load_iris",
    "load_wine",
    "regression",
    "two_circles",
    "two_moons",
    "two_spirals",
    "xor",
]
