"""Parts of images at random places, and at random sizes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...engine.errors import ArgumentError
from ...engine.types import Array
from .augmentation import Augmentation, probability
from .images import interval, number, pair_of_sizes, white
from .resizing import check_fits, resample

_MODES = ("constant", "edge", "reflect", "symmetric")
_TRIES = 10


class RandomCrop(Augmentation):
    """A part of the padded image at a random place, every place equally likely.

    With size 32 and padding 4 the standard augmentation of CIFAR-10 (K. He and others, 2015):
    images shifted by up to four pixels.

    Args:
        size: height and width of the crop, one integer or two.
        padding: pixels added at each side first: one integer, or two, above and below and at the
            sides (default 0).
        padding_mode: "constant" (default), "edge", "reflect" or "symmetric", as of `np.pad`.
        fill: what the constant padding has, of 0 (black, default) to 1; uint8 get 255 times it.
        p: probability in [0, 1] that an image is cropped (default 1); below 1 only where the
            size stays.

    What goes wrong: after standardising, `fill=0` is grey, not black. Raises `ArgumentError` for
    other arguments, `ShapeError` for images that are smaller than the crop even when padded.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> images = np.arange(1.0, 10).reshape(1, 1, 3, 3) / 10
        >>> tg.data.RandomCrop(3, padding=1)(images, generator=0)
        array([[[[0. , 0. , 0. ],
                 [0. , 0.1, 0.2],
                 [0. , 0.4, 0.5]]]])
    """

    draws = 2

    def __init__(
        self,
        size: int | tuple[int, int],
        padding: int | tuple[int, int] = 0,
        padding_mode: Literal["constant", "edge", "reflect", "symmetric"] = "constant",
        fill: float = 0.0,
        p: float = 1.0,
    ) -> None:
        self.size = pair_of_sizes("RandomCrop", "size", size)
        self.padding = pair_of_sizes("RandomCrop", "padding", padding, minimum=0)
        if padding_mode not in _MODES:
            raise ArgumentError(
                f"RandomCrop: expected padding_mode to be one of {', '.join(_MODES)}, got "
                f"{padding_mode!r}"
            )
        self.padding_mode = padding_mode
        self.fill = number("RandomCrop", "fill", fill, -np.inf)
        self.p = probability("RandomCrop", p)

    def _size_after(self, height: int, width: int) -> tuple[int, int]:
        return self.size

    def _check(self, images: Array) -> None:
        down, across = self.padding
        check_fits("RandomCrop", images, (self.size[0] - 2 * down, self.size[1] - 2 * across))

    def _augment(self, images: Array, uniform: Array) -> Array:
        padded = self._padded(images)
        height, width = self.size
        places = np.array([padded.shape[2] - height + 1, padded.shape[3] - width + 1])
        top, left = (uniform * places).astype(np.intp).T
        windows = sliding_window_view(padded, self.size, axis=(2, 3))
        crops: Array = windows.transpose(0, 2, 3, 1, 4, 5)[np.arange(len(images)), top, left]
        return crops

    def _padded(self, images: Array) -> Array:
        down, across = self.padding
        if not (down or across):
            return images
        if self.padding_mode != "constant":
            widths = ((0, 0), (0, 0), (down, down), (across, across))
            return np.pad(images, widths, mode=self.padding_mode)
        # As np.pad, in half the time.
        n, channels, height, width = images.shape
        shape = (n, channels, height + 2 * down, width + 2 * across)
        padded = np.full(shape, self.fill * white(images), images.dtype)
        padded[:, :, down : down + height, across : across + width] = images
        return padded


class RandomResizedCrop(Augmentation):
    """A part of random area and aspect at a random place, resized to one size.

    The augmentation of ImageNet since C. Szegedy and others, Going Deeper with Convolutions,
    2014: area = U(scale) H W, log(w / h) = U(log ratio), h w = area. Parts that do not fit are
    drawn again, nine times; then it is the middle of the image, as large as `ratio` allows.
    Resized as by `resize`.

    Args:
        size: height and width of the result, one integer or two.
        scale: least and greatest share of the image's area, in (0, 1] (default (0.08, 1)).
        ratio: least and greatest width over height (default (3/4, 4/3)).
        p: probability in [0, 1] that an image is cropped (default 1); below 1 only where the
            size stays.

    What goes wrong: on small images 8 % are too few pixels to tell a class; CIFAR-10 wants a
    scale from 0.5 on. Raises `ArgumentError` for other arguments.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.data.RandomResizedCrop(4)(np.ones((2, 3, 9, 8)), generator=0).shape
        (2, 3, 4, 4)
    """

    draws = 2 * _TRIES + 2

    def __init__(
        self,
        size: int | tuple[int, int],
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        p: float = 1.0,
    ) -> None:
        tiny = float(np.finfo(np.float64).tiny)
        self.size = pair_of_sizes("RandomResizedCrop", "size", size)
        self.scale = interval("RandomResizedCrop", "scale", scale, tiny, 1)
        self.ratio = interval("RandomResizedCrop", "ratio", ratio, tiny)
        self.p = probability("RandomResizedCrop", p)

    def _size_after(self, height: int, width: int) -> tuple[int, int]:
        return self.size

    def _augment(self, images: Array, uniform: Array) -> Array:
        top, left, height, width = self._boxes(uniform, *images.shape[2:])
        return resample(images, (top, height), (left, width), self.size)

    def _boxes(self, uniform: Array, height: int, width: int) -> tuple[Array, Array, Array, Array]:
        """Top, left, height and width of the parts, whole numbers (N,)."""
        (least, most), (narrow, wide) = self.scale, np.log(self.ratio)
        area = height * width * (least + (most - least) * uniform[:, :_TRIES])
        aspect = np.exp(narrow + (wide - narrow) * uniform[:, _TRIES : 2 * _TRIES])
        heights, widths = np.rint(np.sqrt(area / aspect)), np.rint(np.sqrt(area * aspect))
        fits = (heights >= 1) & (heights <= height) & (widths >= 1) & (widths <= width)
        first = np.arange(len(uniform)), fits.argmax(axis=1)
        found = fits[first]
        aspect_at_last = min(max(width / height, self.ratio[0]), self.ratio[1])
        last = max(1, round(min(height, width / aspect_at_last)))
        last_wide = max(1, round(min(width, height * aspect_at_last)))
        h, w = np.where(found, heights[first], last), np.where(found, widths[first], last_wide)
        place = np.where(found[:, None], uniform[:, -2:], 0.5)
        top = np.floor(place[:, 0] * (height - h + 1))
        left = np.floor(place[:, 1] * (width - w + 1))
        return top, left, h, w
