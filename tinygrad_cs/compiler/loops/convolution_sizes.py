"""The lengths of a convolution that is written as loops, and where its windows lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...ops.sliding.windows import Windows


@dataclass(frozen=True)
class Convolution:
    """All lengths, which are known when the text is written.

    Attributes:
        images: of the batch.
        groups: parts into which channels are split.
        sources, results: channels of the input and of the output, in each group.
        rows, cols: the windows along both axes, at a distance of one.
    """

    images: int
    groups: int
    sources: int
    results: int
    rows: Windows
    cols: Windows
    dtype: str

    @cached_property
    def pitch(self) -> int:
        """From a row to the next one: the zeros behind a row are those before the next."""
        return max(self.cols.size + max(self.cols.low, self.cols.high), self.cols.count)

    @property
    def places(self) -> int:
        """From the first window to the last."""
        return (self.rows.count - 1) * self.pitch + self.cols.count

    @property
    def kernel(self) -> int:
        """Entries of a kernel for one channel."""
        return self.rows.kernel * self.cols.kernel

    @property
    def image(self) -> int:
        """Entries of a channel of the input."""
        return self.rows.size * self.cols.size

    @property
    def windows(self) -> int:
        """Of one image: entries of a channel of the output."""
        return self.rows.count * self.cols.count

    @property
    def start(self) -> int:
        """Where the first entry of an image lies among its zeros."""
        return self.pitch * self.rows.low + self.cols.low

    @property
    def reach(self) -> int:
        """From the first entry that a window sees to the last."""
        return self.pitch * (self.rows.reach - 1) + self.cols.reach - 1

    @property
    def is_padded(self) -> bool:
        """Are there zeros among its entries?"""
        return self.pitch != self.cols.size or self.start > 0 or self.rows.high > 0

    @property
    def products(self) -> int:
        """Multiplications."""
        return self.images * self.groups * self.sources * self.results * self.kernel * self.windows

    def shift(self, j: int) -> int:
        """How far behind its own place a window sees its entry j of a kernel row."""
        return self.cols.dilation * j

    @property
    def row_shift(self) -> int:
        """How much further behind it sees the next kernel row."""
        return self.pitch * self.rows.dilation
