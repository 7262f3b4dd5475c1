"""Loaders: threads, interruptions, and going on in the middle of an epoch."""

import gc
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from squares import Squares, listed

import tinygrad_cs as tg
from tinygrad_cs import data
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.modes import default_dtype, generator


class Broken(Squares):
    def __getitem__(self, position):
        if position == 7:
            raise OSError("no such file: 7.png")
        return super().__getitem__(position)


def workers_alive():
    return [t for t in threading.enumerate() if t.name.startswith("DataLoader")]


def assert_workers_end():
    gc.collect()
    end = time.monotonic() + 5
    while workers_alive() and time.monotonic() < end:
        time.sleep(0.01)
    assert not workers_alive()


# Threads


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("ahead", [1, 3])
def test_batches_do_not_depend_on_the_number_of_workers(noise, ahead):
    def epochs(workers):
        loader = data.DataLoader(
            Squares(noise=noise),
            batch_size=3,
            shuffle=True,
            transform=lambda batch: (*batch, noise * generator().normal(size=2)),
            num_workers=workers,
            prefetch_factor=ahead,
            generator=5,
        )
        return [listed(loader) for _ in range(2)]

    expected = epochs(0)
    assert expected[0] != expected[1]
    if noise:
        drawn = {tuple(batch[2]) for batch in [*expected[0], *expected[1]]}
        assert len(drawn) == 14, "every batch of every epoch draws something else"
    for workers in (1, 2, 5):
        assert epochs(workers) == expected
    assert_workers_end()


def test_what_is_drawn_for_batches_leaves_the_callers_generator_alone():
    tg.manual_seed(0)
    loader = data.DataLoader(Squares(noise=1.0), 4, generator=3)
    for workers in (0, 2):
        loader.num_workers = workers
        tg.manual_seed(0)
        list(loader)
        assert generator().normal() == np.random.default_rng(0).normal()


def test_modes_of_the_caller_hold_in_the_workers():
    seen = []
    loader = data.DataLoader(
        Squares(4), transform=lambda batch: seen.append(default_dtype()) or batch, num_workers=1
    )
    tg.set_default_dtype("float64")
    try:
        list(loader)
    finally:
        tg.set_default_dtype("float32")
    assert set(seen) == {np.dtype("float64")}


def test_collate_fn_gets_the_samples():
    loader = data.DataLoader(data.TensorDataset(range(5)), 2, collate_fn=lambda s: s, num_workers=2)
    assert list(loader) == [[(0,), (1,)], [(2,), (3,)], [(4,)]]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_errors_say_which_sample_they_came_from(workers):
    loader = data.DataLoader(Broken(), batch_size=3, num_workers=workers)
    got = []
    with pytest.raises(OSError, match=r"7\.png") as caught:
        got.extend(loader)
    assert len(got) == 2, "the batches before it arrive"
    notes = "\n".join(caught.value.__notes__)
    assert "sample 7 of Broken" in notes and "batch 2" in notes and "samples 6, 7, 8" in notes
    assert_workers_end()
    ragged = data.DataLoader(
        data.ConcatDataset([Squares(3), data.TensorDataset([1])]), 4, num_workers=workers
    )
    with pytest.raises(errors.ArgumentError, match="number of entries") as caught:
        list(ragged)
    assert "samples 0, 1, 2, 3" in caught.value.__notes__[-1]


def test_no_more_batches_are_read_ahead_than_allowed():
    dataset = Squares(200)
    batches = iter(data.DataLoader(dataset, num_workers=2, prefetch_factor=3))
    for taken in range(1, 20):
        next(batches)
        time.sleep(0.002)
        assert len(dataset.seen) <= taken + 6
    batches.close()
    assert_workers_end()
    assert len(dataset.seen) < 30


def test_a_loop_that_stops_early_leaves_no_threads():
    loader = data.DataLoader(Squares(200), num_workers=3)
    for _ in loader:
        assert len(workers_alive()) == 3
        break
    assert_workers_end()

    def fail():
        for batch in loader:
            raise KeyError(batch)

    with pytest.raises(KeyError):
        fail()
    assert_workers_end()
    abandoned = iter(loader)
    next(abandoned)
    del abandoned
    assert_workers_end()


class Hanging(Squares):
    def __init__(self, at):
        super().__init__(8)
        self.at, self.release = at, threading.Event()

    def __getitem__(self, position):
        if position == self.at:
            self.release.wait(20)
        return super().__getitem__(position)


def test_a_sample_that_hangs_ends_in_an_error_that_says_so():
    dataset = Hanging(at=2)
    loader = data.DataLoader(dataset, 2, num_workers=2, timeout=0.2)
    got = []
    start = time.monotonic()
    with pytest.raises(data.LoaderTimeoutError, match=r"timeout=0\.2 seconds") as caught:
        got.extend(loader)
    assert isinstance(caught.value, TimeoutError) and isinstance(caught.value, tg.TinygradError)
    assert len(got) == 1 and time.monotonic() - start < 3
    dataset.release.set()
    del caught
    assert_workers_end()


def test_a_timeout_of_ones_own_is_not_mistaken():
    class Late(Squares):
        def __getitem__(self, position):
            raise TimeoutError("the server")

    with pytest.raises(TimeoutError, match="the server") as caught:
        list(data.DataLoader(Late(), num_workers=1, timeout=5))
    assert not isinstance(caught.value, data.LoaderTimeoutError)


SCRIPT = """
import sys, threading, time
import tinygrad_cs as tg
from tinygrad_cs import data

class Slow:
    def __len__(self): return 1000
    def __getitem__(self, k):
        time.sleep({sleep})
        return k

batches = iter(data.DataLoader(Slow(), num_workers=3))
{take}
print("last line")
"""


@pytest.mark.parametrize(
    ("sleep", "take"),
    [
        (0.001, "next(batches)"),
        (
            100,
            "threading.Thread(target=next, args=[batches], daemon=True).start(); time.sleep(0.2)",
        ),
    ],
)
def test_the_interpreter_ends_while_a_loader_is_under_way(sleep, take):
    code = SCRIPT.format(sleep=sleep, take=take)
    root = Path(__file__).parents[1]
    start = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=root
    )
    assert (result.returncode, result.stderr) == (0, "") and "last line" in result.stdout
    assert time.monotonic() - start < 20


# Going on in the middle of an epoch


def make_loader(kind, workers=0):
    dataset = data.TensorDataset(np.arange(20), np.arange(20.0) ** 2)
    if kind == "plain":
        return data.DataLoader(dataset, 3, shuffle=True, generator=1, num_workers=workers)
    if kind == "library":
        return data.DataLoader(dataset, 3, shuffle=True, num_workers=workers)
    if kind == "in order":
        return data.DataLoader(dataset, 3, drop_last=True, num_workers=workers)
    if kind == "noise":
        return data.DataLoader(Squares(noise=1), 3, shuffle=True, generator=1, num_workers=workers)
    if kind == "mersenne":
        twister = np.random.Generator(np.random.MT19937(1))
        return data.DataLoader(dataset, 3, shuffle=True, generator=twister, num_workers=workers)
    if kind == "weighted":
        sampler = data.WeightedRandomSampler(np.arange(20) + 1, 30, generator=4)
        return data.DataLoader(dataset, 4, sampler=sampler, num_workers=workers, transform=list)
    batches = data.BatchSampler(data.RandomSampler(20, generator=2), 6, drop_last=False)
    return data.DataLoader(dataset, batch_sampler=batches, num_workers=workers)


KINDS = ["plain", "library", "in order", "noise", "mersenne", "weighted", "batches"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("taken", [0, 1, 4, "all", "over"])
def test_a_loader_goes_on_where_it_was(kind, workers, taken):
    """The whole run: an epoch before, the rest of this one, and what the caller draws besides."""
    tg.manual_seed(9)
    loader = make_loader(kind, workers)
    listed(loader)
    batches = iter(loader)
    count = len(loader) if taken in ("all", "over") else taken
    for _ in range(count):
        next(batches)
        generator().normal()
    if taken == "over":
        assert list(batches) == []
        batches = iter(loader)
    saved = json.loads(json.dumps(loader.state_dict(), default=np.ndarray.tolist))
    library = generator().bit_generator.state
    expected = [listed(batches), listed(loader), generator().normal(), listed(loader)]

    tg.manual_seed(1234)
    other = make_loader(kind, 2 - workers)
    listed(other)
    other.load_state_dict(saved)
    assert json.loads(json.dumps(other.state_dict(), default=np.ndarray.tolist)) == saved
    generator().bit_generator.state = library
    assert [listed(other), listed(other), generator().normal(), listed(other)] == expected


def test_the_state_in_a_loop_is_that_of_the_batch_in_hand():
    loader = make_loader("plain", workers=2)
    for k, _ in enumerate(loader):
        state = loader.state_dict()
        assert (state["epoch"], state["position"]) == (0, k + 1)
    state = loader.state_dict()
    assert (state["epoch"], state["position"], state["start"]) == (1, 0, None)


def test_states_that_do_not_fit_are_refused():
    loader = make_loader("plain")
    good = loader.state_dict()
    for change, message in [
        ({"samples": 21}, "21 samples"),
        ({"batch_size": 4}, "batch_size was 4"),
        ({"position": -1}, "position"),
        ({"epoch": 1.5}, "epoch"),
        ({"now": []}, "generators"),
        ({"now": [{"bit_generator": "MT19937"}]}, "MT19937"),
    ]:
        with pytest.raises(errors.StateDictError, match=message):
            loader.load_state_dict(good | change)
    for wrong in ({}, None, {k: v for k, v in good.items() if k != "now"}):
        with pytest.raises(errors.StateDictError, match="expected what"):
            loader.load_state_dict(wrong)
    with pytest.raises(errors.StateDictError, match="generators"):
        make_loader("library").load_state_dict(good)
    assert loader.state_dict() == good, "nothing was loaded"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_workers": -1}, "num_workers"),
        ({"num_workers": 1.5}, "num_workers"),
        ({"prefetch_factor": 0}, "prefetch_factor"),
        ({"num_workers": 1, "timeout": -1}, "timeout"),
        ({"num_workers": 1, "timeout": np.nan}, "timeout"),
        ({"timeout": 1}, "num_workers=1"),
        ({"sampler": [0], "shuffle": True}, "decides the order"),
        ({"batch_sampler": [[0]], "shuffle": True}, "batch_sampler"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler"),
        ({"batch_sampler": [[0]], "sampler": np.arange(2)}, "batch_sampler"),
        ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler"),
    ],
)
def test_loaders_refuse(arguments, message):
    with pytest.raises(errors.ArgumentError, match=message):
        data.DataLoader(Squares(), **arguments)
