"""Folders of checkpoints: which stay, which are the best, and what is passed over."""

import math
import os
import time
import warnings

import numpy as np
import pytest

from tinygrad_cs import saving
from tinygrad_cs.engine import errors


def test_the_newest_and_the_best_are_kept(tmp_path):
    folder = tmp_path / "made" / "here"
    checkpoints = saving.Checkpoints(folder, keep_last=2, keep_best=2)
    assert checkpoints.latest() is None and checkpoints.best() is None
    losses = [0.5, 0.1, 0.9, 0.2, 0.8, 0.7]
    for step, loss in enumerate(losses):
        written = checkpoints.save({"w": np.full(3, step)}, step * 10, loss, {"note": "x"})
    assert written.name == "step-00000050.safetensors"
    assert checkpoints.steps() == [10, 30, 40, 50]
    assert len(os.listdir(folder)) == 4
    best, latest = checkpoints.best(), checkpoints.latest()
    assert (best.step, best.score, best.state["w"].tolist()) == (10, 0.1, [1, 1, 1])
    assert (latest.step, latest.score, latest.path) == (50, 0.7, written)
    assert saving.inspect(written).metadata == {"note": "x", "step": "50", "score": "0.7"}
    # Another process knows the scores from the files.
    later = saving.Checkpoints(folder, keep_last=1, keep_best=1, mode="max")
    assert later.best().step == 40
    later.save(0, 60, None)
    assert later.steps() == [40, 60]


def test_states_without_a_comparable_score_are_never_best(tmp_path):
    checkpoints = saving.Checkpoints(tmp_path, keep_last=1, keep_best=1)
    for step, score in enumerate([math.nan, None, 3.0, 2, math.inf, 2.0, math.nan]):
        checkpoints.save(step, step, score)
        assert (checkpoints.best() is None) == (step < 2)
    assert checkpoints.best().step == 3 and checkpoints.steps() == [3, 6]
    assert checkpoints.latest().score != checkpoints.latest().score


def test_what_was_just_saved_stays_even_if_it_is_older(tmp_path):
    checkpoints = saving.Checkpoints(tmp_path, keep_last=1, keep_best=0)
    checkpoints.save("later", 100)
    checkpoints.save("again", 5)
    assert checkpoints.steps() == [5, 100]
    checkpoints.save("replaced", 100)
    assert checkpoints.steps() == [100] and checkpoints.latest().state == "replaced"


def test_damaged_files_are_passed_over_with_a_warning(tmp_path):
    checkpoints = saving.Checkpoints(tmp_path, keep_last=4)
    paths = [checkpoints.save(np.arange(100), step, score=-step) for step in range(4)]
    raw = bytearray(paths[3].read_bytes())
    raw[-1] ^= 1
    paths[3].write_bytes(raw)
    paths[2].write_bytes(b"")
    (tmp_path / "step-00000009.safetensors.part").write_text("not ours")
    with pytest.warns(UserWarning) as caught:
        assert checkpoints.latest().step == 1
    assert [str(w.message).count("step-0000000") for w in caught] == [1, 1]
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="passed over"):
        assert saving.Checkpoints(tmp_path).best().step == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in paths:
            path.write_bytes(b"nothing")
        assert checkpoints.latest() is None and checkpoints.best() is None


def test_leftovers_of_killed_processes_are_removed_when_they_are_old(tmp_path):
    old, fresh = (tmp_path / f".tinygrad_cs-{k}.tmp" for k in ("old", "fresh"))
    old.touch()
    fresh.touch()
    hours_ago = time.time() - 7200
    os.utime(old, (hours_ago, hours_ago))
    saving.Checkpoints(tmp_path)
    assert not old.exists() and fresh.exists()


@pytest.mark.parametrize(
    "arguments", [{"keep_last": 0}, {"keep_best": -1}, {"keep_last": 1.5}, {"mode": "lowest"}]
)
def test_checkpoints_refuse(tmp_path, arguments):
    with pytest.raises(errors.ArgumentError, match=next(iter(arguments))):
        saving.Checkpoints(tmp_path / "never", **arguments)
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("step", [-1, 1.0, True, "3"])
def test_steps_are_whole_numbers(tmp_path, step):
    with pytest.raises(errors.ArgumentError, match="step >= 0"):
        saving.Checkpoints(tmp_path).save(1, step)
