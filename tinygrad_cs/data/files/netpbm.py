"""PGM and PPM, the plainest image files: read without any further package.

P5 width height maximum | grey, a byte a pixel        P6 ... | red, green, blue
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ...engine.types import Array
from .source import Source, opened

CHANNELS = {b"P5": 1, b"P6": 3}
# Comments reach from # to the end of the line; one blank ends the header.
_BLANK = rb"(?:\s|#[^\n]*\n)+"
HEADER = re.compile(rb"(P[56])" + 3 * (_BLANK + rb"(\d{1,9})") + rb"\s")
LONGEST_HEADER = 1024


def read_netpbm(path: Any) -> Array:
    r"""A binary PGM or PPM file (P5, P6) as an array (channels, height, width) of uint8.

    One channel for grey, three for red, green, blue. Raises `DataFileError` for a file that is
    missing, of another kind (also P2 and P3, which are text), of more than a byte a channel, or of
    another length than its header announces.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "grey.pgm")
        ...     _ = path.write_bytes(b"P5 3 2 255\n" + bytes([0, 50, 100, 150, 200, 250]))
        ...     tg.data.read_netpbm(path).tolist()
        [[[0, 50, 100], [150, 200, 250]]]
    """
    with opened(path) as source:
        channels, width, height = _header(source)
        pixels = source.array(np.dtype(np.uint8), (height, width, channels))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _header(source: Source) -> tuple[int, int, int]:
    text = b""
    # Byte by byte, as long as it could still be a header: where the pixels begin is not known.
    while not (match := HEADER.fullmatch(text)):
        if len(text) == LONGEST_HEADER or (len(text) >= 2 and text[:2] not in CHANNELS):
            raise source.fail(
                f"expected a binary PGM or PPM file, P5 or P6 and width, height and maximum, "
                f"got {text[:40]!r}",
                offset=0,
            )
        text += source.read(1, "header")
    width, height, maximum = map(int, match.groups()[1:])
    if not width or not height or maximum != 255:
        raise source.fail(
            f"expected at least one pixel, of values up to 255, got {width} by {height} of values "
            f"up to {maximum}",
            offset=0,
        )
    return CHANNELS[match[1]], width, height
