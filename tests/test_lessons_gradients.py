"""The lesson on wrong gradients: each mistake is seen, and named as the lesson says."""

import lesson
import pytest
import wrong_gradients
from matplotlib.image import imread

import tinygrad_cs as tg


@pytest.fixture(autouse=True)
def forgotten():
    """Takes the lesson's operations, wrong ones among them, out of the table again."""
    before = set(tg.engine.record.TABLE)
    yield
    wrong_gradients.measure.cache_clear()
    for name in set(tg.engine.record.TABLE) - before:
        tg.engine.define.undefine(name)


@pytest.mark.parametrize("seed", [0, 1])
def test_each_mistake_is_seen_and_named(seed):
    measured = wrong_gradients.measure(True, seed)
    right, batch, factor, transpose, sign, rough = measured.values()
    assert right[0] == "passes" and right[2] < 1e-9
    assert min(mistake[2] for mistake in (batch, factor, transpose, sign)) > 0.1
    assert batch[0].startswith("db: part of the cotangent is dropped: a missing sum")
    assert factor[0].startswith("dx: a missing factor: analytic = 0.5 x")
    assert transpose[0].startswith("dx: a wrong formula")
    assert sign[0].startswith("dx: a wrong sign on some entries: a kink")
    assert rough[0].startswith("refuses: the function computed in float32")
    assert 1e-4 < rough[2] < 5e-2, "a right gradient that looks wrong"


def test_the_lesson_prints_and_draws(tmp_path, capsys):
    found = wrong_gradients.finding(True, 0)
    arguments = ["--quick", "--out", str(tmp_path)]
    assert (
        lesson.run(
            "wrong_gradients",
            wrong_gradients.__doc__,
            wrong_gradients.finding,
            wrong_gradients.draw,
            arguments,
        )
        == 0
    )
    told = capsys.readouterr().out
    assert all(key in told for key in found) and len(found) == 6
    picture = imread(tmp_path / "wrong_gradients.png")
    assert min(picture.shape[:2]) > 400 and picture.std() > 0.05
