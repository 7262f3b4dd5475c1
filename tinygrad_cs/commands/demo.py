"""`demo`: the lessons in teaching order, and one of them run."""

from __future__ import annotations

import argparse
import difflib
import re
import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from ..engine.errors import ArgumentError, MissingDependency


def add(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "demo",
        help="list the lessons, or run one",
        description="Without a name: the lessons in teaching order, with the question each one "
        "answers. With a name: run it; what follows goes to the lesson, such as --quick, --seed 1, "
        "--out DIR and --show (its own --help says what it takes).",
        usage="%(prog)s [-h] [NAME [--quick] [--seed N] [--out DIR] [--show] ...]",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="of a lesson, such as saturation")
    parser.add_argument("options", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List, or run one; returns the exit status."""
    demos = folder()
    lessons = read_lessons(demos)
    if options.name is None:
        print(listed(lessons))
        return 0
    name = options.name.removesuffix(".py")
    known = [lesson.name for lesson in lessons]
    if name not in known:
        near = difflib.get_close_matches(name, known, cutoff=0.5)
        raise ArgumentError(
            f"no lesson {name!r}; near it are {', '.join(near)}"
            if near
            else f"no lesson {name!r}; python -m tinygrad_cs demo lists them"
        )
    _check_folder(options.options)
    return _run_file(demos / f"{name}.py", options.options)


class Lesson(NamedTuple):
    """A line of the list."""

    section: str
    name: str
    question: str


def folder() -> Path:
    """The folder of the lessons, beside the package; raises `ArgumentError` where there is none."""
    demos = Path(__file__).resolve().parents[2] / "demos"
    if not (demos / "lesson.py").exists() or not (demos / "README.md").exists():
        raise ArgumentError(
            "the lessons are not part of the installed package; in a checkout of the repository "
            'run pip install -e ".[demos]", then this command finds them'
        )
    return demos


def read_lessons(demos: Path) -> list[Lesson]:
    """The lessons as the README of the folder orders them: rows of tables, and paragraphs."""
    lessons, section = [], ""
    for line in (demos / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:].strip()
        row = re.match(r"(\| )?\[(\w+)\]\(\2\.py\) (.*)", line)
        if row:
            in_table, name, rest = row.groups()
            question = (
                rest.strip("| ").split("|")[0]
                if in_table
                else rest.removeprefix("is ").split(":")[0]
            )
            lessons.append(Lesson(section, name, question.strip()))
    return lessons


def listed(lessons: list[Lesson]) -> str:
    """The list as text."""
    width = max(len(lesson.name) for lesson in lessons)
    lines, section = [], ""
    for lesson in lessons:
        if lesson.section != section:
            section = lesson.section
            lines += ["", section]
        lines.append(f"  {lesson.name:{width}}  {lesson.question}")
    lines += [
        "",
        "Run one: python -m tinygrad_cs demo NAME [--quick] [--seed N] [--out DIR] [--show]",
    ]
    return "\n".join(lines[1:])


def _check_folder(arguments: list[str]) -> None:
    """Raise `ArgumentError` for a folder that cannot be written: better known before the run."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--out", type=Path)
    try:
        out = parser.parse_known_args(arguments)[0].out
    except argparse.ArgumentError:
        return  # the lesson will say what is wrong
    if out is not None and not out.suffix:
        try:
            out.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=out).close()
        except OSError as error:
            raise ArgumentError(
                f"cannot write to {out}: {error.strerror}; choose another --out"
            ) from error


def _run_file(path: Path, arguments: list[str]) -> int:
    argv, search = sys.argv, list(sys.path)
    sys.argv = [f"demo {path.stem}", *arguments]
    sys.path.insert(0, str(path.parent))
    try:
        runpy.run_path(str(path), run_name="__main__")
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
            return 2
        return int(stop.code or 0)
    except ImportError as error:
        missing = error.__cause__ if isinstance(error, MissingDependency) else error
        package = (getattr(missing, "name", None) or "").partition(".")[0]
        if not package or package == "tinygrad_cs" or path.with_name(f"{package}.py").exists():
            raise
        raise MissingDependency(
            f"the demo {path.stem} needs {package}, which is not installed; "
            f'run pip install "tinygrad_cs[demos]"'
        ) from error
    finally:
        sys.argv, sys.path[:] = argv, search
    return 0
