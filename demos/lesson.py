"""What the lessons share: the options of the command line, the table, the picture.

A lesson is a file with `finding(quick, seed)`, which returns what it measured as a dict of numbers
with names to print, and `draw(quick, seed)`, which returns the picture. Its last lines are

    if __name__ == "__main__":
        raise SystemExit(lesson.run("saturation", __doc__, finding, draw))
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    from matplotlib.figure import Figure
except ImportError as error:
    print(f'The lessons need {error.name}; run pip install "tinygrad_cs[demos]"', file=sys.stderr)
    raise SystemExit(2) from None


def run(
    name: str,
    docstring: str | None,
    finding: Callable[[bool, int], dict[str, float]],
    draw: Callable[[bool, int], Figure],
    arguments: list[str] | None = None,
    film: Callable[[bool, int], list[Any]] | None = None,
) -> int:
    """Print the text and the table, write the picture `<out>/<name>.png`; 0 for the shell.

    Where there is a film, a list of Pillow's images, it becomes `<out>/<name>.gif`.
    """
    text = (docstring or name).strip()
    parser = argparse.ArgumentParser(description=text.partition("\n")[0])
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/lessons"), help="folder (default runs/lessons)")
    add("--seed", type=seed, default=0, help="of everything random (default 0)")
    add("--quick", action="store_true", help="smaller and faster, same claim")
    add("--show", action="store_true", help="open the picture in a window, too")
    options = parser.parse_args(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        # A folder can exist and still be closed to us: better known before measuring.
        tempfile.TemporaryFile(dir=options.out).close()
    except OSError as error:
        parser.exit(2, f"Cannot write to {options.out}: {error.strerror}; choose another --out.\n")
    print(text, end="\n\n")
    found = finding(options.quick, options.seed)
    width = max(map(len, found))
    for what, number in found.items():
        print(f"  {what:{width}}  {number:.4g}")
    path = options.out / f"{name}.png"
    draw(options.quick, options.seed).savefig(path)
    print(f"\npicture: {path}")
    if film is not None:
        moving = path.with_suffix(".gif")
        first, *others = film(options.quick, options.seed)
        first.save(moving, save_all=True, append_images=others, duration=120, loop=0)
        print(f"film: {moving}")
    if options.show:
        show(path)
    return 0


def seed(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number >= 0, got {text!r}")
    return int(text)


def show(path: Path) -> None:
    """Open a window with the picture of a file, and wait until it is closed."""
    from matplotlib import get_backend, pyplot
    from matplotlib.backends import BackendFilter, backend_registry

    image = pyplot.imread(path)
    window = pyplot.figure(path.stem, figsize=(image.shape[1] / 150, image.shape[0] / 150))
    cell = window.add_axes((0, 0, 1, 1))
    cell.imshow(image)
    cell.axis("off")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "FigureCanvas.* is non-interactive", UserWarning)
        pyplot.show()
    if get_backend().lower() not in backend_registry.list_builtin(BackendFilter.INTERACTIVE):
        print(f"There is no screen for a window; the picture is {path}", file=sys.stderr)
    pyplot.close(window)
