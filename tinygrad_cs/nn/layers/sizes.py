"""What every layer asks of the sizes it is made with."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError
from ...engine.types import np
from ..foreign import described


def check_sizes(where: str, **sizes: Any) -> None:
    """Raise `ArgumentError` unless all are whole numbers of 1 or more."""
    for name, size in sizes.items():
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 1:
            raise ArgumentError(
                f"{where}: {name} must be a whole number of 1 or more, got {described(size, where)}"
            )
