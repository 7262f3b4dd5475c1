"""Functions of loops, from text to machine code, and the folder in which that is kept.

A text is written to a file that is called after its hash, so that Numba keeps the machine code
beside it; another process finds both. Files are put in place by renaming, so that no process sees
half of one; one that is not what it should be is written again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ...engine.errors import MissingDependency
from ...engine.threads import on_two_threads
from ...engine.types import np
from ..entry import Otherwise


class Kernel:
    """A function of loops: its name, its text, and from `compiled` on what is called.

    Attributes:
        shared: how many rounds two threads share; 0 if one does it all.
        reorders: may sums be added in any order, and products be rounded together with them?
    """

    def __init__(self, name: str, lines: Any = None, reorders: bool = False) -> None:
        self.__name__ = name
        self.reorders = reorders
        self.shared = 0 if lines is None else lines.shared
        self.run: Any = None
        self.text = ""
        if lines is not None:
            arguments = ", ".join([*lines.memory.values(), *lines.numbers.values()])
            types = [_array_type(v.dtype) for v in lines.memory] + ["float64"] * len(lines.numbers)
            if self.shared:
                arguments = f"start, stop, {arguments}"
                types = ["int64", "int64", *types]
            self.signature = f"void({', '.join(types)})"
            self.text = "\n".join([f"def {name}({arguments}):", *lines.lines, ""])

    def rename(self, name: str) -> None:
        """Call it so."""
        self.text = self.text.replace(f"def {self.__name__}(", f"def {name}(")
        self.__name__ = name

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Kernel:
        """A function that stays Python."""
        kernel = cls(function.__name__)
        kernel.run = function
        return kernel


def flat(x: Any) -> Any:
    """All entries of an array, in order; the array must be dense, so that it is no copy."""
    if not x.flags.c_contiguous:
        raise Otherwise(None)
    return x.reshape(-1)


def flat_copy(x: Any) -> Any:
    """All entries of an array, in order."""
    return np.ascontiguousarray(x).reshape(-1)


FLAT, FLAT_COPY = Kernel.of(flat), Kernel.of(flat_copy)


def _array_type(dtype: Any) -> str:
    return ("boolean" if dtype.kind == "b" else dtype.name) + "[::1]"


def require_numba() -> Any:
    """Numba, or an error that says how to come by it."""
    try:
        import numba
    except ImportError as error:
        raise MissingDependency(
            'compile: backend="numba" needs Numba; install it with '
            'pip install "tinygrad_cs[numba]", or leave the backend out'
        ) from error
    return numba


def folder() -> Path:
    """Where compiled programs are kept: TINYGRAD_CS_CACHE, or the user's folder for such files."""
    chosen = os.environ.get("TINYGRAD_CS_CACHE")
    if chosen:
        return Path(chosen) / "compiled"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "tinygrad_cs" / "compiled"


def module_text(kernels: list[Kernel]) -> str:
    """The file of all functions of a program."""
    numba = require_numba()
    made_by = f"Numba {numba.__version__}, Python {platform.python_version()}"
    head = [f'"""Loops of a compiled program. {made_by}."""', "", "import numpy as np"]
    head += ["from numba import njit", "", ""]
    parts = []
    for kernel in kernels:
        options = 'error_model="numpy", cache=CACHE, nogil=True'
        if kernel.reorders:
            options += ', fastmath={"contract", "nsz", "reassoc"}'
        parts.append(f"@njit({options})\n{kernel.text}")
    for name, text in HELPERS.items():
        if any(f"{name}(" in kernel.text for kernel in kernels):
            parts.insert(0, text)
    return "\n".join([*head, "\n\n".join(parts)])


HELPERS = {
    "position": """@njit
def position(i, n):
    if i < -n or i >= n:
        raise IndexError("index out of bounds")
    return i + n if i < 0 else i
""",
    "plus": """@njit(fastmath={"reassoc", "nsz"})  # in any order, so several parts at a time
def plus(total, x):
    return total + x
""",
}


def compiled(kernels: list[Kernel]) -> float:
    """Make the functions run; returns the seconds that it took."""
    start = time.perf_counter()
    if kernels:
        text = module_text(kernels)
        try:
            names = _loaded(text, kernels)
        except OSError:  # no folder to write to: it works all the same, only anew in each process
            names = {"__name__": "tinygrad_cs_loops"}
            exec(compile(text.replace("cache=CACHE", "cache=False"), "<loops>", "exec"), names)
            _made_ready(names, kernels)
        for kernel in kernels:
            kernel.run = names[kernel.__name__]
            if kernel.shared:
                kernel.run = partial(_by_two, kernel.run, kernel.shared)
    return time.perf_counter() - start


def _by_two(function: Callable[..., None], rounds: int, *arrays: Any) -> None:
    """Half of the rounds by each of two threads; machine code does not hold on to Python."""
    middle = rounds // 2
    parts = [(0, middle), (middle, rounds)]
    on_two_threads(lambda part: function(*part, *arrays), parts)


def _loaded(text: str, kernels: list[Kernel]) -> dict[str, Any]:
    text = text.replace("cache=CACHE", "cache=True")
    name = f"loops_{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    place = folder() / name
    file = place / f"{name}.py"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    _written(file, text)
    try:
        return _made_ready(_imported(name, file), kernels)
    except OSError:
        raise
    except Exception:  # machine code that was damaged, or is another version's
        shutil.rmtree(place / "__pycache__", ignore_errors=True)
        return _made_ready(_imported(name, file), kernels)


def _made_ready(names: dict[str, Any], kernels: list[Kernel]) -> dict[str, Any]:
    """Compiled for arrays that may be written to; for others Numba makes another one when met."""
    for kernel in kernels:
        names[kernel.__name__].compile(kernel.signature)
    return names


def _written(file: Path, text: str) -> None:
    """Put the text there, unless it is there; a new date would make Numba compile it again."""
    wanted = text.encode()
    if file.exists() and file.read_bytes() == wanted:
        return
    handle, draft = tempfile.mkstemp(dir=file.parent, suffix=".part")
    with os.fdopen(handle, "wb") as stream:
        stream.write(wanted)
    os.replace(draft, file)


def _imported(name: str, file: Path) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Numba looks for it there
    spec.loader.exec_module(module)
    return vars(module)
