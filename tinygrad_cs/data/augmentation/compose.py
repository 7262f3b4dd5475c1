"""Several augmentations in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...engine.errors import ArgumentError
from ...engine.types import Array
from ..checks import as_generator
from ..preprocessing.parameters import Parameters
from .augmentation import Augmentation, draw
from .images import as_images
from .mixing import Mixing

Step = Augmentation | Mixing | Callable[[Array], Array]


class Compose(Parameters):
    """Augmentations one after the other: `augment(images)` or `augment(images, targets)`.

    Args:
        transforms: augmentations, other `Compose` objects, and any functions of images, such as
            the `transform` of a fitted `ChannelStandardizer`, in the order of their application.
        generator: a NumPy generator or an integer seed, from which all calls draw in turn; by
            default the generator that `tg.manual_seed` seeds. A call may bring its own:
            `augment(images, generator=7)`.

    Same generator, same images, also when the images come in other batches, as long as `Mixup`
    and `CutMix`, which pair the images of a batch, are not among the steps. Usual order: crops
    and flips, colours, noise, standardising, `Cutout` (whose 0 is then the mean), mixing.

    In a loader it is `DataLoader(..., transform=lambda batch: augment(*batch))`, with no generator
    of its own here: the loader seeds that of the library for every batch, whichever worker makes
    it.

    Raises `ArgumentError` for what cannot be called, and for inner `Compose` objects with a
    generator.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> augment = tg.data.Compose(
        ...     [tg.data.RandomCrop(32, padding=4), tg.data.RandomHorizontalFlip()], generator=0
        ... )
        >>> images = np.random.default_rng(0).random((8, 3, 32, 32), dtype=np.float32)
        >>> augment(images).shape
        (8, 3, 32, 32)
        >>> bool((augment(images, generator=1) == augment(images, generator=1)).all())
        True
    """

    def __init__(
        self, transforms: Sequence[Any], generator: np.random.Generator | int | None = None
    ) -> None:
        self._steps = list(_flat(transforms))
        self.transforms = tuple(transforms)
        self.generator = None if generator is None else as_generator("Compose", generator)

    def __call__(
        self,
        images: Any,
        targets: Any = None,
        *,
        generator: np.random.Generator | int | None = None,
    ) -> Any:
        """New images, or with targets both; raises what the steps raise."""
        array = as_images("Compose", images)
        random = draw("Compose", self.generator if generator is None else generator)
        drawing = [step for step in self._steps if isinstance(step, Augmentation)]
        uniform = random.random((len(array), sum(1 + step.draws for step in drawing)))
        column = 0
        for step in self._steps:
            if isinstance(step, Augmentation):
                array = step.apply(array, uniform[:, column : column + 1 + step.draws])
                column += 1 + step.draws
            elif isinstance(step, Mixing):
                array, targets = step(array, targets, generator=random)
            else:
                array = as_images("Compose", step(array))
        return array if targets is None else (array, targets)

    def __repr__(self) -> str:
        steps = ", ".join(map(repr, self.transforms))
        return f"Compose([{steps}])"


def _flat(transforms: Any) -> Any:
    if not isinstance(transforms, (list, tuple)):
        raise ArgumentError(f"Compose: expected a list of augmentations, got {transforms!r}")
    for step in transforms:
        if isinstance(step, Compose):
            if step.generator is not None:
                raise ArgumentError(
                    "Compose: an inner Compose draws from the outer one's generator; give the "
                    "generator to the outermost alone"
                )
            yield from step._steps
        elif callable(step) and not isinstance(step, type):
            yield step
        else:
            raise ArgumentError(
                f"Compose: expected augmentations or functions of images, got {step!r}"
                + ("; make one: write parentheses behind it" if isinstance(step, type) else "")
            )
