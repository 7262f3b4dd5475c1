"""`python -m tinygrad_cs demo`: lists the lessons, runs them, and says what they lack."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_cs.__main__ import main

DEMOS = Path(__file__).parents[1] / "demos"


def test_demo_lists_the_lessons_in_teaching_order_with_their_questions(capsys) -> None:
    assert main(["demo"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Backpropagation"
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    linked = re.findall(r"\[(\w+)\]\(\1\.py\)", (DEMOS / "README.md").read_text())
    assert listed == list(dict.fromkeys(linked))
    assert any(re.match(r"  saturation +Where do sigmoid, tanh and ReLU", line) for line in lines)
    assert all((DEMOS / f"{name}.py").exists() for name in listed)
    helpers = {"lesson", "style", "counting", "every_layer", "readme_pictures"}
    unlisted = {path.stem for path in DEMOS.glob("*.py")} - {*listed, *helpers}
    assert not unlisted, "a lesson without a row in demos/README.md"


def test_demo_runs_a_lesson_and_hands_its_options_on(tmp_path: Path, capsys) -> None:
    before = list(sys.argv), list(sys.path)
    assert main(["demo", "saturation", "--quick", "--seed", "3", "--out", str(tmp_path)]) == 0
    assert "sigmoid' at 0" in capsys.readouterr().out
    assert (tmp_path / "saturation.png").stat().st_size > 1000
    assert (sys.argv, sys.path) == before
    assert main(["demo", "saturation", "--help"]) == 0
    assert "--quick" in capsys.readouterr().out
    assert main(["demo", "saturation", "--seed", "many"]) == 2
    assert "--seed" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["saturatoin", "lesson", "../setup", "nothing_like_it"])
def test_demo_says_which_lessons_there_are(name: str, capsys) -> None:
    assert main(["demo", name]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and f"no lesson {name!r}" in told
    assert ("saturation" in told) == (name == "saturatoin")


@pytest.mark.parametrize(
    ("module", "lesson"),
    [("matplotlib", "saturation"), ("sklearn", "sanity_checks"), ("sklearn", "train_digits")],
)
def test_a_demo_without_its_libraries_says_what_to_install(
    module: str, lesson: str, tmp_path: Path
) -> None:
    hidden = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from tinygrad_cs.__main__ import main\n"
        f"sys.exit(main(['demo', {lesson!r}, '--quick', '--out', {str(tmp_path)!r}]))\n"
    )
    if lesson == "train_digits":
        hidden = hidden.replace("'--quick', ", "")
    command = [sys.executable, "-W", "error", "-c", hidden]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert module in done.stderr and "[demos]" in done.stderr
    assert "pip install" in done.stderr


def test_a_lesson_run_by_itself_says_what_to_install_too(tmp_path: Path) -> None:
    hidden = (
        "import runpy, sys; sys.modules['matplotlib'] = None\n"
        f"sys.path.insert(0, {str(DEMOS)!r})\n"
        f"runpy.run_path({str(DEMOS / 'saturation.py')!r}, run_name='__main__')\n"
    )
    command = [sys.executable, "-c", hidden]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert 'pip install "tinygrad_cs[demos]"' in done.stderr


def test_a_folder_that_cannot_be_written_is_known_before_the_lesson_runs(tmp_path, capsys) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["demo", "saturation", "--out", str(tmp_path / "file" / "x")]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert "cannot write to" in told.err and "--out" in told.err


def test_an_installed_package_without_the_lessons_says_where_they_are(monkeypatch, capsys) -> None:
    from tinygrad_cs.commands import demo

    monkeypatch.setattr(demo, "__file__", "/site-packages/tinygrad_cs/commands/demo.py")
    for arguments in (["demo"], ["demo", "saturation"]):
        assert main(arguments) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "not part of the installed package" in told and "pip install -e" in told
