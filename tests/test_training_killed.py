"""A training that is killed at any moment goes on to exactly the weights it would have had.

One process imports everything once and forks: a child trains with a checkpoint every few batches,
is killed by SIGKILL after a random time, and another child resumes and trains to the end. Half of
the killed trainings are compiled, and a third of the resumed ones.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import tinygrad_cs as tg
from tinygrad_cs import data, nn, optim, saving, training

KILLS = 100 if settings.default.max_examples >= 500 else 6
ROOT = Path(__file__).parents[1]


def trained(folder, compile=False):
    """The final state of a training with everything that has one, resumed if it has begun."""
    tg.manual_seed(0)
    x, y = data.two_spirals(150, noise=0.1, seed=0)
    # each batch is changed at random: what is drawn must go on where it was, too
    augment = lambda batch: (batch[0] + 0.05 * tg.engine.modes.generator().random((1, 2)), batch[1])  # noqa: E731
    loader = data.DataLoader(
        data.TensorDataset(x, y), 8, shuffle=True, transform=augment, num_workers=2
    )
    model = nn.Sequential(
        nn.Linear(2, 64), nn.BatchNorm1d(64), nn.Tanh(), nn.Dropout(0.1), nn.Linear(64, 2)
    )
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    run = training.Run(
        model, loader, (x, y), loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=10,
        schedule=optim.lr_scheduler.CosineAnnealingLR(optimizer, 10), ema=0.9, patience=8,
        clip_norm=1.0, metrics="accuracy", progress=False, compile=compile,
        callbacks=training.Checkpointing(folder, every_batches=3),
    )  # fmt: skip
    training.checkpointing.resume(run, folder)
    resumed = run.steps
    run.train()
    state = run.state_dict()
    for row in state["history"]["rows"]:
        del row["seconds"]
    del state["totals"]  # seconds
    return state | {"final": model.state_dict()}, resumed


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b) or (a != a and b != b)


def in_child(task):
    """A forked process that runs the task and says by its exit status whether it was true."""
    child = os.fork()
    if not child:
        status = 1
        try:
            status = 0 if task() else 2
        finally:
            os._exit(status)
    return child


def killed_after(seconds, task):
    """Run the task in a child and kill it; returns whether it was still at work."""
    child = in_child(task)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def kill_and_resume(kills, folder):
    """Prints a line for each kill: the exit status of the resumption, and where it began."""
    began = time.perf_counter()
    expected, _ = trained(folder / "whole")
    seconds = time.perf_counter() - began
    chance = random.Random(0)
    k = tries = 0
    while k < kills:
        place, tries = folder / f"killed-{tries}", tries + 1
        if not killed_after(
            chance.random() * seconds, lambda place=place, k=k: trained(place, k % 2 == 1) and True
        ):
            continue  # it had come to its end already

        def resumed(place=place, k=k):
            state, step = trained(place, k % 3 == 1)
            (place / "step").write_text(str(step))
            return same(state, expected)

        status = os.waitpid(in_child(resumed), 0)[1]
        steps = saving.Checkpoints(place).steps()
        print(status, (place / "step").read_text(), len(steps), flush=True)
        k += 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_killed_training_ends_with_the_weights_of_the_uninterrupted_one(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", __file__, str(KILLS), str(tmp_path)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(lines) == KILLS
    assert all(status == 0 for status, _, _ in lines), done.stdout + done.stderr
    # the killing must have hit trainings that had saved something, or nothing was resumed
    assert sum(0 < step < 190 for _, step, _ in lines) > KILLS // 3
    assert all(1 <= files <= 3 for *_, files in lines)


if __name__ == "__main__":
    kill_and_resume(int(sys.argv[1]), Path(sys.argv[2]))
