"""`source`: the program of a compiled function, as a file that needs NumPy alone."""

from __future__ import annotations

import argparse
import contextlib
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.errors import ArgumentError, CompileError, TinygradError

if TYPE_CHECKING:
    from ..compiler import Compiled

EXAMPLES = """\
examples:
  python -m tinygrad_cs source mine.py                 of the one function that mine.py compiles
  python -m tinygrad_cs source mine.py:step > step.py  of one of several
  python -m tinygrad_cs source demos/readable_backprop.py --quick

mine.py compiles a function and calls it:

  model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))

  @tg.compile
  def step(x, y):
      model.zero_grad()
      nn.functional.cross_entropy(model(x), y).backward()

  step(np.ones((4, 2), np.float32), np.array([0, 1, 1, 0]))
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "source",
        help="show the NumPy program of a compiled function",
        description="Run a Python file, and print the program of a function that it compiles "
        "(tg.compile)\nand calls: forward, backward and update as NumPy statements, each with a "
        "word on what it\nis. What the file itself prints goes to the error output.",
        usage="%(prog)s [-h] [--optimized] FILE[:NAME] [ARGUMENTS ...]",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--optimized", action="store_true", help="the program as it runs, with planned buffers"
    )
    parser.add_argument("file", metavar="FILE[:NAME]", help="a Python file; the function's name")
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="ARGUMENTS", help="given to the file"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the file, print the program, and return the exit status."""
    path, name = _split(options.file)
    with _noted() as made:
        names = _run_file(path, options.arguments)
    found = _chosen(made, names, name, path)
    print(found.optimized_source if options.optimized else found.source.rstrip("\n"))
    return 0


def _split(text: str) -> tuple[Path, str]:
    file, colon, name = text.rpartition(":")
    if not colon or Path(text).exists() or not name.isidentifier():
        file, name = text, ""
    if not Path(file).is_file():
        raise ArgumentError(f"cannot read {file}: expected a Python file, and :NAME behind it")
    return Path(file), name


@contextlib.contextmanager
def _noted() -> Iterator[list[Compiled]]:
    """The functions that are compiled inside the block."""
    from ..compiler import compiled as home

    made: list[Compiled] = []

    class Noted(home.Compiled):
        def __init__(self, f: Any, backend: str = "numpy") -> None:
            super().__init__(f, backend)
            made.append(self)

    before = home.Compiled
    home.Compiled = Noted  # type: ignore[misc]
    try:
        yield made
    finally:
        home.Compiled = before  # type: ignore[misc]


def _run_file(path: Path, arguments: list[str]) -> dict[str, Any]:
    """Its global names afterwards."""
    argv, search = sys.argv, list(sys.path)
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return runpy.run_path(str(path), run_name="__main__")
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise ArgumentError(f"{path} ended with exit status {stop.code}") from stop
        return {}
    except (TinygradError, OSError):
        raise
    except Exception as error:
        raise ArgumentError(f"{path} fails itself: {type(error).__name__}: {error}") from error
    finally:
        sys.argv, sys.path[:] = argv, search


def _chosen(made: list[Compiled], names: dict[str, Any], name: str, path: Path) -> Compiled:
    """The one that is asked for; of several with one name, the last."""
    called = {}
    for compiled in made:
        with contextlib.suppress(CompileError):  # which it raises where it was never called
            _ = compiled.source
            own = getattr(compiled, "__name__", "f")
            called[next((n for n, x in names.items() if x is compiled), own)] = compiled
    if not called:
        raise ArgumentError(
            f"{path} calls no compiled function; make one by tg.compile(f), and call it once"
        )
    if not name and len(called) > 1:
        raise ArgumentError(
            f"{path} compiles several functions: {', '.join(called)}; choose one as "
            f"{path}:{next(iter(called))}"
        )
    if name and name not in called:
        raise ArgumentError(f"{path} calls no compiled function {name!r}, but {', '.join(called)}")
    return called[name] if name else next(iter(called.values()))
