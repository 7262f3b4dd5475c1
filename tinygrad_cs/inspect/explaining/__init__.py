"""The backward pass as a list of steps, to read or to walk through."""

from .explain import explain
from .explanation import Explanation

__all__ = ["Explanation", "explain"]
