"""Functions as the NumPy programs that they run: traced, simplified, planned, printed.

Read in this order: `program.py` (what a program is), `traced.py` (stand-ins that write down what is
done with them), `recorder.py` and `trace.py` (one run of a function), `simplify.py` (shorter, the
same numbers), `buffers.py` and `constants.py` (every result has its place), `text.py`,
`readable.py` and `bundle.py` (as NumPy text, and as a file that runs by itself), `compiled.py`
(what a user holds).
"""

from .compiled import Compiled, compile

__all__ = ["Compiled", "compile"]
