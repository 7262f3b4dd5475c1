"""What every augmentation does alike: a row of random numbers for each image, and some left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.errors import ShapeError
from ...engine.modes import generator as library_generator
from ...engine.types import Array
from ..checks import as_generator
from ..preprocessing.parameters import Parameters
from .images import as_images, number


class Augmentation(Parameters):
    """Base of the augmentations: `augment(images)` gives new images, changed with probability p.

    Images are (N, C, H, W), uint8 of 0 to 255 or floats of 0 to 1; both give the same up to
    rounding, the dtype stays, and the input is never changed. With targets, `augment(images,
    targets)` gives both, as `Mixup` and `CutMix` change targets too.

    Random numbers come from `generator`: a NumPy generator, an integer seed, or by default the
    generator that `tg.manual_seed` seeds. Every image takes one row of a fixed number of uniform
    numbers, whatever becomes of it: the same generator gives the same images however they are cut
    into batches, and a changed `p` leaves what other steps of a `Compose` draw as it was. Only
    `Mixup` and `CutMix` depend on the batch: they pair its images.

    Augment the training part alone. An augmentation of one's own sets `p` and `draws` and
    computes in `_augment` new images from images and numbers in [0, 1).

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> class Negative(tg.data.Augmentation):
        ...     def __init__(self, p=0.5):
        ...         self.p = p
        ...     def _augment(self, images, uniform):
        ...         return 1 - images
        >>> Negative()(np.zeros((4, 1, 1, 1)), generator=0).ravel()
        array([0., 1., 1., 1.])
    """

    p: float = 1.0
    draws: int = 0
    """Numbers each image needs, beside that which decides whether it is changed."""

    def __call__(
        self,
        images: Any,
        targets: Any = None,
        *,
        generator: np.random.Generator | int | None = None,
    ) -> Any:
        """New images, or with targets both; raises `ShapeError` and `DTypeError` for no images."""
        name = type(self).__name__
        array = as_images(name, images)
        uniform = draw(name, generator).random((len(array), 1 + self.draws))
        result = self.apply(array, uniform)
        return result if targets is None else (result, targets)

    def apply(self, images: Array, uniform: Array) -> Array:
        """New images from images and numbers (N, 1 + draws) in [0, 1): nothing random is left.

        The first number of a row decides: the image is changed if it is less than p.

        Example:
            >>> import numpy as np, tinygrad_cs as tg
            >>> image = np.array([[[[1.0, 2.0]]]])
            >>> flip = tg.data.RandomHorizontalFlip(p=0.5)
            >>> flip.apply(image, np.array([[0.4]])), flip.apply(image, np.array([[0.6]]))
            (array([[[[2., 1.]]]]), array([[[[1., 2.]]]]))
        """
        self._check(images)
        channels, height, width = images.shape[1:]
        if self.p < 1 and self._size_after(height, width) != (height, width):
            raise ShapeError(
                f"{type(self).__name__}: with p < 1 some images would be of {height} by {width} "
                f"pixels and others of {self._size_after(height, width)}; write p=1"
            )
        if not len(images):
            return np.empty((0, channels, *self._size_after(height, width)), images.dtype)
        chosen = uniform[:, 0] < self.p
        if chosen.all():
            return self._augment(images, uniform[:, 1:])
        result = images.copy()
        if chosen.any():
            result[chosen] = self._augment(images[chosen], uniform[chosen, 1:])
        return result

    def _check(self, images: Array) -> None:
        """Raise for images that this cannot change, whether or not one of them is chosen."""

    def _augment(self, images: Array, uniform: Array) -> Array:
        """New images, all of them changed."""
        raise NotImplementedError

    def _size_after(self, height: int, width: int) -> tuple[int, int]:
        return height, width


def probability(name: str, p: Any) -> float:
    """`p`, a probability."""
    return number(name, "p", p, 0, 1)


def draw(where: str, generator: np.random.Generator | int | None) -> np.random.Generator:
    """The generator, one of this seed, or the library's."""
    return library_generator() if generator is None else as_generator(where, generator)
