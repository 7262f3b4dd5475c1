"""Steps shown one at a time, by the keyboard of a terminal; the standard library is enough."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

HELP = "next: → space n   back: ← b   first: g   last: G   stop: q"
CLEAR = "\x1b[2J\x1b[H"

KEYS = {
    **dict.fromkeys(["right", "down", " ", "\r", "\n", "n", "j", "l"], "next"),
    **dict.fromkeys(["left", "up", "\x7f", "\x08", "b", "k", "h"], "back"),
    **dict.fromkeys(["g", "home"], "first"),
    **dict.fromkeys(["G", "end"], "last"),
    **dict.fromkeys(["q", "Q", "\x1b", "\x03", "\x04", ""], "stop"),
}
"""What each key does; an empty one is the end of the input."""

ESCAPES = {
    **{f"\x1b{start}{end}": key for start in "[O" for end, key in
       {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end"}.items()},
    "\x1b[1~": "home", "\x1b[4~": "end", "\x1b[5~": "up", "\x1b[6~": "down",
}  # fmt: skip
"""What terminals send for keys without a character."""


def walk(
    steps: Sequence[Any],
    end: str,
    keys: Iterable[str] | None = None,
    out: TextIO | None = None,
) -> None:
    """Show one step, wait for a key, show another; see `Explanation.walk`."""
    out = sys.stdout if out is None else out
    if keys is not None:
        _walk(steps, end, iter(keys), out, screen=False)
    elif steps and sys.stdin is not None and sys.stdin.isatty() and out.isatty():
        with _keyboard() as pressed:
            _walk(steps, end, pressed, out, screen=True)
    else:
        print(*steps, end, sep="\n", file=out)


def _walk(
    steps: Sequence[Any], end: str, keys: Iterator[str], out: TextIO, *, screen: bool
) -> None:
    at = 0
    last = len(steps) - 1
    while steps:
        text = f"step {at + 1} of {len(steps)}\n{steps[at]}"
        if at == last:
            text += f"\n{end}"
        if screen:
            text = f"{CLEAR}{text}\n\n{HELP}"
        print(text, file=out, flush=True)
        action = None
        while action is None:
            action = KEYS.get(next(keys, ""))
        if action == "stop":
            return
        at = {"next": min(at + 1, last), "back": max(at - 1, 0), "first": 0, "last": last}[action]


@contextlib.contextmanager
def _keyboard() -> Iterator[Iterator[str]]:
    """Keys as they are pressed, without waiting for a line; the terminal is put back at the end."""
    if os.name == "nt":
        yield _keys_of_windows()
        return
    # not there on Windows, and type checkers know
    termios: Any = importlib.import_module("termios")
    tty: Any = importlib.import_module("tty")
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield _keys_of(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _keys_of(terminal: int) -> Iterator[str]:
    """An escape sequence arrives in one piece, so that a lone escape is told from an arrow."""
    while True:
        pressed = os.read(terminal, 32).decode(errors="ignore")
        if pressed in ESCAPES:
            yield ESCAPES[pressed]
        elif pressed.startswith("\x1b") and len(pressed) > 1:
            continue
        else:
            yield from pressed or [""]


def _keys_of_windows() -> Iterator[str]:
    msvcrt: Any = importlib.import_module("msvcrt")
    special = {"H": "up", "P": "down", "M": "right", "K": "left", "G": "home", "O": "end"}
    while True:
        pressed = msvcrt.getwch()
        yield special.get(msvcrt.getwch(), "?") if pressed in ("\x00", "\xe0") else pressed
