"""One program of a compiled function, from the run that was traced to the function that runs."""

from __future__ import annotations

import dataclasses
import linecache
import math
import weakref
from collections.abc import Callable, Collection
from typing import Any

from ..engine.types import np
from .calls import CallText
from .entry import Entry, Stopped, Undone
from .planning.blocks import in_blocks, into_blocks
from .planning.buffers import plan
from .planning.checks import may_fail_after, numbers_first
from .planning.constants import typed_numbers
from .planning.simplify import simplify
from .printing import readable
from .printing.bound import bound_text
from .printing.naming import name_apart
from .printing.text import helper_name
from .program import ARITHMETIC, Program, leaves
from .tracing.traced_run import TracedRun


def _undone(program: Program, entry: Entry) -> Undone:
    """What a program that fails halfway may have done by then.

    Gradients that are not added to do not count: every step overwrites them, and first of all.
    """
    changes = [(s, s.writes.base) for s in program.statements if s.writes is not None]
    added_to = {w for s, w in changes if s.kind == "call" and w in {v.base for v in leaves(s.args)}}
    lasting = {
        v
        for v, spot in zip(program.captured, entry.captured, strict=True)
        if v in added_to or not spot.path.endswith(("._node._grad", "._node.slot.base"))
    }
    arrays = []
    if may_fail_after(program, lambda s: s.writes is not None and s.writes.base in lasting):
        written = {w for _, w in changes if w in lasting}
        arrays = [i for i, v in enumerate(program.captured) if v in written]
    return Undone(draws=may_fail_after(program, lambda s: s.draws), arrays=arrays)


class Variant:
    """A program for arguments of certain shapes, and for a certain state of what it captured.

    Attributes:
        call: takes (args, kwargs); gives what the function returns, or `MISS` where the program
            is not for them.
        free: lets go of the buffers until the next call.
        optimized_source: the text that runs.
    """

    call: Callable[[Any, Any], Any]
    free: Callable[[], None]

    def __init__(
        self,
        f: Callable[..., Any],
        args: Any,
        kwargs: Any,
        restless: Collection[tuple[int, str]] = (),
        backend: str = "numpy",
    ) -> None:
        run = TracedRun(f, args, kwargs, restless)
        program, entry = run.program, run.entry
        self._text = ""
        simplify(program)
        self._readable = dataclasses.replace(
            program,
            statements=[dataclasses.replace(s) for s in program.statements],
            constants=dict(program.constants),
            views=list(program.views),
        )
        numbers_first(program)
        undone = _undone(program, entry)
        self.compile_seconds = 0.0
        loops: Any = None
        kernels: list[Any] = []
        if backend == "numba":
            from . import loops

            kernels = loops.fuse(program)
        plan(program)
        typed_numbers(program)
        into_blocks(program)
        name_apart(program, kernels)
        self.loops = ""
        if loops is not None:
            self.loops = f"{loops.module_text(kernels)}\n\n"
            self.compile_seconds = loops.compiled(kernels)
        entry.refuses = any(s.kind in ARITHMETIC for s in program.statements)
        self._sites = {s.note: s.site for s in program.statements if s.note}
        self._groups = run.groups
        text = CallText(entry)
        self.call, self.free = text.made(
            self._made(program), args, kwargs, run.out, undone, self._where
        )
        run.release()

    def _made(self, program: Program) -> Any:
        self.optimized_source = bound_text(program)
        names: dict[str, Any] = {"np": np, "math": math, "Stopped": Stopped, "in_blocks": in_blocks}
        names |= {var.name: value for var, value in program.constants.items()}
        names |= {helper_name(s.function): s.function for s in program.statements
                  if s.kind == "helper"}  # fmt: skip
        names |= {s.function.__name__: s.function.run
                  for s in [*program.views, *program.statements] if s.kind == "kernel"}  # fmt: skip
        self._file = f"<compiled {program.name} {id(self)}>"
        lines = self.optimized_source.splitlines(keepends=True)
        weakref.finalize(self, linecache.cache.pop, self._file, None)
        linecache.cache[self._file] = (len(lines), None, lines, self._file)
        exec(compile(self.optimized_source, self._file, "exec"), names)
        return names["bind"]

    def restless(self) -> set[tuple[int, str]]:
        """The hyperparameters that are not what they were when this was traced."""
        return {(id(group), key) for group, key, value in self._groups if group.get(key) != value}

    def source(self) -> str:
        """The program for reading, written out when it is first asked for."""
        if not self._text:
            self._text = readable.source(self._readable)
        return self._text

    def _where(self, error: Exception) -> str:
        """The user's line that made the statement which failed."""
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == self._file:
                line = self.optimized_source.splitlines()[step.tb_lineno - 1].strip()
                made = self._sites.get(line.rpartition("  # ")[2])
                site = f", made at {made}" if made else ""
                return f"in the compiled program: {line}{site}"
            step = step.tb_next
        return "in the compiled program"
