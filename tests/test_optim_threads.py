"""Large updates on two threads: the same numbers, and errors of both threads."""

import ctypes
import sys
import threading
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs.engine import threads
from tinygrad_cs.optim.block import Block, _pieces

RNG = np.random.default_rng(0)
LARGE = threads.WORTH_IT + 1001


@pytest.mark.parametrize("make", [tg.optim.SGD, tg.optim.Adam, tg.optim.RMSprop, tg.optim.Lion])
def test_two_threads_compute_what_one_does(make, monkeypatch):
    start, gradients = RNG.normal(size=LARGE), RNG.normal(size=(3, LARGE))
    results = []
    for cores in (1, 2):
        monkeypatch.setattr(threads, "_cores", lambda cores=cores: cores)
        w = tg.tensor(start, requires_grad=True)
        optimizer = make([w], lr=0.01, weight_decay=0.1)
        for g in gradients:
            w.grad = g
            optimizer.step()
        results.append(w.data)
    assert_array_equal(*results)


def test_both_threads_take_part(monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 2)
    seen = {}
    threads.on_two_threads(lambda part: seen.setdefault(part, threading.get_ident()), range(4))
    assert set(seen) == set(range(4))
    assert seen[0] == seen[2] == threading.get_ident() != seen[1] == seen[3]


@pytest.mark.parametrize("bad", [0, 1])
def test_errors_of_either_thread_arrive(bad, monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 2)

    def work(part):
        if part == bad:
            raise ValueError(f"part {part}")

    with pytest.raises(ValueError, match=f"part {bad}"):
        threads.on_two_threads(work, [0, 1])


def test_an_optimizer_of_ones_own_is_not_shared_between_threads():
    class Own(tg.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {})
            self.threads_seen = set()

        def update(self, group, count, piece):
            self.threads_seen.add(threading.get_ident())

    w = tg.tensor(np.zeros(LARGE), requires_grad=True)
    w.grad = np.ones(LARGE)
    optimizer = Own([w])
    optimizer.step()
    assert optimizer.threads_seen == {threading.get_ident()}


@pytest.mark.parametrize("entries", [0, 1, 10**3, threads.WORTH_IT, LARGE, 3 * 10**6])
def test_pieces_cover_everything_and_come_in_pairs_where_shared(entries):
    several, length = _pieces(entries)
    assert several * length >= entries > (several - 1) * length - 1
    assert several == 1 or several % 2 == 0
    w = tg.tensor(np.zeros(entries, "float32"), requires_grad=True)
    pieces = Block([w], {}, 0).pieces
    assert sum(p.w.size for p in pieces) == entries


@pytest.fixture
def unstarted(monkeypatch):
    """No helper yet, and two cores."""
    monkeypatch.setattr(threads, "_helper", [])
    monkeypatch.setattr(threads, "_cores", lambda: 2)


def test_the_first_use_from_several_threads_at_once(unstarted):
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(100):
            threads._helper.clear()
            barrier, seen = threading.Barrier(4), []

            def go(barrier=barrier, seen=seen):
                barrier.wait()
                threads.on_two_threads(seen.append, [0, 1])

            users = [threading.Thread(target=go, daemon=True) for _ in range(4)]
            for user in users:
                user.start()
            for user in users:
                user.join(10)
            assert sorted(seen) == [0] * 4 + [1] * 4 and len(threads._helper) == 1
    finally:
        sys.setswitchinterval(interval)


def test_a_helper_that_cannot_be_started_is_tried_again(unstarted, monkeypatch):
    start = threading.Thread.start

    def refused(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(RuntimeError, match="can't start"):
        threads.on_two_threads(lambda part: None, [0, 1])
    monkeypatch.setattr(threading.Thread, "start", start)
    seen = []
    threads.on_two_threads(seen.append, [0, 1])
    assert sorted(seen) == [0, 1]


def test_work_within_work_is_done(unstarted):
    seen = []

    def work(part):
        threads.on_two_threads(lambda inner: seen.append((part, inner)), [0, 1])

    user = threading.Thread(target=threads.on_two_threads, args=(work, [0, 1]), daemon=True)
    user.start()
    user.join(10)
    assert sorted(seen) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_an_interruption_of_ones_own_part_is_what_arrives(unstarted):
    def work(part):
        raise ValueError("the helper's") if part else KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        threads.on_two_threads(work, [0, 1])


def test_an_interruption_waits_for_the_helper(unstarted):
    """Nothing is written any more when it arrives."""
    ended, found = threading.Event(), []

    def work(part):
        if part:
            time.sleep(0.3)
            ended.set()

    def use():
        try:
            threads.on_two_threads(work, [0, 1])
        except KeyboardInterrupt:
            found.append(ended.is_set())

    user = threading.Thread(target=use, daemon=True)
    user.start()
    time.sleep(0.1)
    interrupted = ctypes.c_ulong(user.ident), ctypes.py_object(KeyboardInterrupt)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(*interrupted)
    user.join(10)
    assert found == [True]
