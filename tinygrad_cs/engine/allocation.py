"""Memory that is freed stays with the process, so that the next step finds it warm.

Left alone, the allocator of glibc hands every freed block of more than a few hundred KiB back to
the system, and its pages are fetched again, one fault each, when the next training step asks for
the same block: a quarter of the time of a small convolutional network. It adapts, though: blocks up
to the size of the largest it has seen freed are kept, up to twice that size in all.
"""

from __future__ import annotations

from .types import np

_KEPT = 1 << 24
"""Bytes: above any array of a small network, below what anyone would miss."""


def keep_freed_memory() -> None:
    """Free one large block that was never touched; elsewhere than on glibc this does nothing."""
    np.empty(_KEPT, np.uint8)
