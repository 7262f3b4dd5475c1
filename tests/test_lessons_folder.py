"""The folder of the lessons: every one has a row, a picture and the same options."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import lesson
import numpy as np
import pytest
import readme_pictures
from PIL import Image

from tinygrad_cs.__main__ import main

ROOT = Path(__file__).parents[1]
DEMOS = ROOT / "demos"
PICTURES = DEMOS / "pictures"
TEXT = (DEMOS / "README.md").read_text(encoding="utf-8")
ROWS = {
    found[1]: [cell.strip() for cell in line.strip("| ").split("|")]
    for line in TEXT.splitlines()
    if (found := re.match(r"\| \[(\w+)\]\(\1\.py\)", line))
}
HELPERS = {"lesson", "style", "counting", "every_layer", "readme_pictures"}
LONGEST = 170


def test_every_lesson_has_a_row_with_question_notes_measurement_and_picture() -> None:
    assert set(ROWS) == {path.stem for path in DEMOS.glob("*.py")} - HELPERS
    for name, cells in ROWS.items():
        _, question, notes, measured, picture = cells
        assert question.endswith("?") and notes and measured, name
        assert re.fullmatch(
            r'\[<img src="(pictures/\w+\.\w+)" alt="\w+" width="160">\]\(\1\)', picture
        ), name


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert len(links) > 80
    assert [link for link in links if not (DEMOS / link).exists()] == []


def test_the_folder_has_no_picture_that_nobody_shows_and_stays_small() -> None:
    shown = set(re.findall(r"pictures/([\w.]+)", TEXT + (ROOT / "README.md").read_text()))
    files = {path.name: path.stat().st_size for path in PICTURES.iterdir()}
    assert set(files) == shown
    assert sum(files.values()) < 3_000_000


@pytest.mark.parametrize("path", sorted(PICTURES.iterdir()), ids=lambda path: path.name)
def test_a_picture_shows_something(path: Path) -> None:
    if path.suffix == ".svg":
        assert path.read_text(encoding="utf-8").count("<text") > 10
        return
    with Image.open(path) as image:
        frames = getattr(image, "n_frames", 1)
        assert (frames > 5) == (path.suffix == ".gif")
        assert 650 <= image.width <= 1200 and 200 <= image.height <= 1000
        assert path.stat().st_size < (300_000 if frames > 1 else 120_000)
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    assert len(colours) > 8 and counts.max() < 0.98 * len(pixels), "nearly empty"


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_lesson_is_short_and_has_the_options_of_all(name: str, capsys) -> None:
    assert len((DEMOS / f"{name}.py").read_text().splitlines()) <= LONGEST
    assert main(["demo", name, "--help"]) == 0
    told = capsys.readouterr().out
    for option in ("--out", "--seed", "--quick", "--show"):
        assert option in told


def test_show_opens_a_window_with_the_picture(tmp_path, monkeypatch, capsys) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    seen = []

    def opened() -> None:
        window = pyplot.gcf()
        (cell,) = window.axes
        seen.append((window.get_label(), np.asarray(cell.images[0].get_array())))

    monkeypatch.setattr(pyplot, "show", opened)
    saturation = importlib.import_module("saturation")
    arguments = ["--quick", "--show", "--out", str(tmp_path)]
    one = ("saturation", saturation.__doc__, saturation.finding, saturation.draw)
    assert lesson.run(*one, arguments) == 0
    ((label, array),) = seen
    assert label == "saturation" and array.shape[:2] == (600, 1500)
    assert np.array_equal(array, pyplot.imread(tmp_path / "saturation.png"))
    assert pyplot.get_fignums() == [], "closed afterwards"
    assert lesson.run(*one, ["--quick", "--out", str(tmp_path)]) == 0
    assert len(seen) == 1, "not without being asked"
    capsys.readouterr()


def test_show_without_a_screen_says_where_the_picture_is(tmp_path, capsys) -> None:
    import matplotlib

    matplotlib.use("agg")
    path = tmp_path / "made.png"
    Image.new("RGB", (30, 20), "red").save(path)
    lesson.show(path)
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "no screen" in told and str(path) in told


@pytest.mark.parametrize("seed", ["-1", "1.5", "many"])
def test_seeds_are_whole_numbers(seed: str, capsys) -> None:
    assert main(["demo", "saturation", "--seed", seed]) == 2
    assert f"expected a whole number >= 0, got '{seed}'" in capsys.readouterr().err


def test_pictures_for_the_readme_are_small_and_keep_the_colours(tmp_path, capsys) -> None:
    from style import BLUE, ORANGE, figure

    drawing, ((cell,),) = figure(10, 4)
    cell.plot([0, 1], [0, 1], color=BLUE, lw=12)
    cell.plot([0, 1], [1, 0], color=ORANGE, lw=12)
    drawing.savefig(tmp_path / "saturation.png")
    out = tmp_path / "small"
    assert readme_pictures.main([str(tmp_path), "--to", str(out)]) == 0
    assert "MB together" in capsys.readouterr().out
    with Image.open(out / "saturation.png") as image:
        assert image.width == 1000 and image.mode == "P"
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
    for colour in (BLUE, ORANGE):
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(pixels - wanted).max(axis=1) < 10).sum() > 1000
    assert (out / "saturation.png").stat().st_size < 40_000
