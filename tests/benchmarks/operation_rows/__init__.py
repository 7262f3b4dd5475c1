"""The rows of the table of operations, a family a file; `row.py` says what a row is."""

from . import elementwise, indexing, networks, products, reductions, shaping
from .row import ROWS, Row

__all__ = [
    "ROWS",
    "Row",
    "elementwise",
    "indexing",
    "networks",
    "products",
    "reductions",
    "shaping",
]
