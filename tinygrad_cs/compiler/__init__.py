"""Functions as the NumPy programs that they run: traced, simplified, planned, printed.

Read in this order:

- `program.py`: what a program is. Printed, it shows itself, between any two stages.
- `tracing/`: `traced.py`, `traced_number.py`: stand-ins that write down what is done with them;
  `recorder.py`, `outside.py`, `trace.py`, `scalars.py`, `functions.py`, `traced_run.py`: one run;
  `formulas.py`: operations on numbers as text.
- `planning/`: `simplify.py`, `liveness.py`, `pooled.py`: shorter programs that give the same
  numbers; `checks.py`: what may fail comes first; `turned.py`, `buffers.py`, `arena.py`,
  `masks.py`, `constants.py`, `blocks.py`: every result has its place, and every statement its
  fastest form.
- `loops/`: before these places, for `backend="numba"`: runs of statements become loops.
- `printing/`: `text.py`, `bound.py`: as the text that runs; `readable.py`, `naming.py`, `tidy.py`,
  `bundle.py`, `syntax.py`: as a file for reading that runs by itself.
- `entry.py`: what a call checks and does around the program, `calls.py`: as text; `variant.py` puts
  it together; `compiled.py` is what a user holds.
"""

from .compiled import Compiled, compile

__all__ = ["Compiled", "compile"]
