"""What a constructor was given, by name: the protocol by which scikit-learn copies and searches."""

from __future__ import annotations

import inspect
from typing import Any, Self

from ...engine.errors import ArgumentError


class Parameters:
    """An object whose attributes of the constructor's argument names are those arguments.

    `repr` shows them; scikit-learn's `clone`, `Pipeline` and searches read and set them.

    Example:
        >>> import tinygrad_cs as tg
        >>> scaler = tg.data.MinMaxScaler(clip=True)
        >>> scaler.get_params()
        {'feature_range': (0, 1), 'clip': True, 'axis': 0}
        >>> scaler.set_params(clip=False)
        MinMaxScaler(feature_range=(0, 1), clip=False, axis=0)
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor by name; `deep` changes nothing, there is no nesting.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.data.ZCA().get_params()
            {'eps': 1e-05}
        """
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **changes: Any) -> Self:
        """Change arguments of the constructor, as if made anew: what was fitted is forgotten.

        Raises `ArgumentError` for a name that is no argument, and what the constructor raises.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.data.ZCA().set_params(eps=0.1)
            ZCA(eps=0.1)
        """
        current = self.get_params()
        for name in changes:
            if name not in current:
                raise ArgumentError(
                    f"{type(self).__name__}.set_params: expected one of "
                    f"{', '.join(current) or 'no parameters'}, got {name!r}"
                )
        if changes:
            anew = type(self)(**(current | changes))
            vars(self).clear()
            vars(self).update(vars(anew))
        return self

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({values})"
