"""What the README shows is true: its examples run, its links and commands lead somewhere."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

from tinygrad_cs.__main__ import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)


def test_examples() -> None:
    result = doctest.testfile(
        str(ROOT / "README.md"), module_relative=False, optionflags=doctest.ELLIPSIS
    )
    assert result.attempted > 15
    assert not result.failed


def test_links() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) >= 3
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_it_shows_three_pictures_first() -> None:
    screen = README.partition("## ")[0]
    pictures = re.findall(r'<img src="([^"]+)"', screen)
    assert len(pictures) == 3
    assert [picture for picture in pictures if not (ROOT / picture).exists()] == []


def test_it_knows_how_many_lessons_there_are() -> None:
    from tinygrad_cs.commands.demo import read_lessons

    told = re.search(r"one of (\d+) \[lessons\]", README)
    assert told and int(told[1]) == len(read_lessons(ROOT / "demos"))


def test_commands_name_extras_and_files_that_exist() -> None:
    commands = [block for block in BLOCKS if "venv" in block]
    assert len(commands) == 2
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for command in commands:
        words = shlex.split(command)
        assert words[:3] == ["python3", "-m", "venv"]
        for extra in re.findall(r"\.\[(\w+)\]", command):
            assert f"\n{extra} = [" in project
        for file in (word for word in words if word.endswith(".py")):
            assert (ROOT / file).exists()


def test_the_command_line(tmp_path, monkeypatch, capsys) -> None:
    (block,) = (block for block in BLOCKS if "venv" not in block)
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        program, *arguments = shlex.split(line)[2:]
        assert program == "tinygrad_cs" and main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:2] == ["iris", "150"]
    assert len((tmp_path / "flowers.csv").read_text().splitlines()) == 151


def test_the_accuracy_it_promises_is_the_one_the_demo_test_asserts() -> None:
    shown = re.search(r"test accuracy: (0\.\d+)", README)
    assert shown and float(shown[1]) >= 0.97
