"""Command line: check derivatives, train a net on a table or images, try and use it, run a lesson.

Exit status: 0 if all went well, 1 if a check failed or training diverged, 2 for wrong use or files
that cannot be read or written, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from .commands import demo, evaluate, gradcheck, predict, source, train
from .engine.errors import TinygradError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tinygrad_cs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (gradcheck, train, predict, evaluate, source, demo):
        command.add(commands)
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # names of files and classes may hold letters that the terminal lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # whoever read the output has seen enough; nothing is left to say at the end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (TinygradError, OSError) as error:
        print(f"{parser.prog}: {' '.join(str(error).splitlines())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
