"""The second backend: runs of NumPy statements as loops that Numba compiles.

Read in this order: `places.py` (where values lie), `formulas.py` and `steps.py` (what may be in a
loop), `nests.py` (which steps share one), `kernel.py` (as text), `segments.py` (the program with
calls in the place of its runs), `windows.py` and `convolutions.py` (calls of the library that are
loops, too), `products.py` (what stays with BLAS), `cache.py` (from text to machine code, kept in
files).
"""

from .cache import Kernel, compiled, module_text, require_numba
from .segments import fuse

__all__ = ["Kernel", "compiled", "fuse", "module_text", "require_numba"]
