"""`einsum` beyond the generated tests: large contractions, random subscripts, errors."""

import itertools

import numpy as np
import pytest
from draws import gradient
from numpy.testing import assert_allclose

import tinygrad_cs as tg
from tinygrad_cs.engine import errors


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ab,bc,cd->ad", [(20, 3), (3, 30), (30, 4)]),
        ("ab,bc,cd,de->ea", [(9, 9), (9, 9), (9, 9), (9, 1)]),
        ("ij,jk->ik", [(30, 40), (40, 20)]),
        ("ij,kj->ki", [(30, 40), (20, 40)]),
        ("bij,jk->bik", [(3, 20, 20), (20, 5)]),
        ("bi,bj,b->ij", [(50, 6), (50, 7), (50,)]),
        ("...ij,...kj->...ik", [(2, 20, 20), (1, 20, 20)]),
        ("ij,jk,k->", [(20, 30), (30, 1), (40,)]),
        ("iij,jk->ik", [(20, 20, 3), (3, 20)]),
        ("ij,kl->ik", [(30, 30), (30, 2)]),
        ("xyz,zyx->", [(10, 10, 10), (10, 10, 10)]),
    ],
)
def test_large_contractions(subscripts, shapes):
    """Matrix products, in whatever order, give what one loop over all indices gives."""
    arrays = [drawn(*s, seed=i) for i, s in enumerate(shapes)]
    expected = np.einsum(subscripts, *arrays)
    assert_allclose(tg.einsum(subscripts, *arrays), expected, rtol=1e-10, atol=1e-10)
    weights = drawn(*expected.shape, seed=9)
    slopes = gradient(lambda *a: tg.einsum(subscripts, *a) * weights, *arrays)
    for i, (slope, a) in enumerate(zip(slopes, arrays, strict=True)):
        step = drawn(*a.shape, seed=7)
        moved = [step if k == i else b for k, b in enumerate(arrays)]
        along = (np.einsum(subscripts, *moved) * weights).sum()
        assert_allclose((slope * step).sum(), along, rtol=1e-9, atol=1e-9)


def test_einsum_with_lists_of_indices():
    a, b = drawn(2, 3), drawn(3, 4, seed=1)
    t = tg.tensor(a, requires_grad=True)
    for args in ([t, [0, 1], b, [1, 2]], [t, [0, 1], b, [1, 2], [2, 0]], [t, [..., 5], [5, ...]]):
        ours = np.einsum(*args)
        theirs = np.einsum(*[a if x is t else x for x in args])
        assert_allclose(ours.data, theirs)
        assert ours.requires_grad
    assert_allclose(tg.einsum(a, [0, 1], [1, 0]), a.T)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (["ij->ii", np.eye(2)], errors.ArgumentError, "'i' in the output twice"),
        (["i->j", np.ones(2)], errors.ArgumentError, "'j' of the output belongs to no operand"),
        (["i>j", np.ones(2)], errors.ArgumentError, "'>' is no index"),
        (["i->i->i", np.ones(2)], errors.ArgumentError, "is no index"),
        (["......", np.ones(2)], errors.ArgumentError, r"'\.' is no index"),
        (["i1", np.eye(2)], errors.ArgumentError, "'1' is no index"),
        (["...i->i", np.eye(2)], errors.ArgumentError, r"write '\.\.\.' there too"),
        (["ii", np.ones((3, 1))], errors.ShapeError, "length 3 in operand 0 and 1 in operand 0"),
        (["i", np.eye(2)], errors.ShapeError, r"'\.\.\.' names the others"),
        (["ij,jk", np.eye(2)], errors.ArgumentError, "names 2 operands"),
        ([np.eye(2), [0, 60]], errors.ArgumentError, "numbers below 52"),
        ([np.eye(2), [0, 1], np.eye(2)], errors.ArgumentError, "list of its indices"),
    ],
)
def test_einsum_says_what_it_cannot_read(args, error, message):
    with pytest.raises(error, match=message):
        tg.einsum(*args)
    with pytest.raises((ValueError, TypeError)):
        np.einsum(*args)


def test_einsum_is_numpys_for_random_subscripts():
    """Values where NumPy has one, an error where it has an error."""
    rng = np.random.default_rng(0)
    agreed = itertools.count()
    for _ in range(400):
        lengths = dict(zip("abcd", rng.integers(1, 5, 4), strict=True))
        terms, arrays = [], []
        for _ in range(rng.integers(1, 4)):
            letters = list(rng.choice(list("abcd"), rng.integers(0, 4)))
            shape = [lengths[c] if rng.random() < 0.9 else 1 for c in letters]
            if rng.random() < 0.25:
                place, more = rng.integers(0, len(letters) + 1), rng.integers(0, 3)
                letters.insert(place, "...")
                shape[place:place] = rng.integers(1, 3, more).tolist()
            terms.append("".join(letters))
            arrays.append(rng.normal(size=shape))
        text = ",".join(terms)
        if rng.random() < 0.7:
            output = [c for c in "abcd" if c in text and rng.random() < 0.5]
            rng.shuffle(output)
            if "..." in text and rng.random() < 0.9:
                output.insert(rng.integers(0, len(output) + 1), "...")
            text += "->" + "".join(output)
        try:
            theirs = np.einsum(text, *arrays)
        except ValueError:
            with pytest.raises(tg.TinygradError):
                tg.einsum(text, *arrays)
            continue
        assert_allclose(tg.einsum(text, *arrays), theirs, rtol=1e-11, atol=1e-12, err_msg=text)
        next(agreed)
    assert next(agreed) > 200
