"""Nested tuples, lists and dicts of values: taken apart into a flat list and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def leaves(tree: Any) -> Iterator[Any]:
    """The values of a nested structure, left to right."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, (tuple, list)) and not _is_numbers(tree):
        for value in tree:
            yield from leaves(value)
    else:
        yield tree


def transform(f: Callable[[Any], Any], tree: Any) -> Any:
    """The same structure with `f` applied to every value, left to right."""
    if isinstance(tree, dict):
        return {key: transform(f, value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)) and not _is_numbers(tree):
        return type(tree)(transform(f, value) for value in tree)
    return f(tree)


def rebuild(tree: Any, values: Iterator[Any]) -> Any:
    """The same structure with its values replaced by the next of `values`."""
    return transform(lambda _: next(values), tree)


def _is_numbers(tree: Any) -> bool:
    """A list of plain numbers, nested or not, is one array rather than a structure."""
    return isinstance(tree, list) and all(
        isinstance(v, (int, float)) or _is_numbers(v) for v in tree
    )
