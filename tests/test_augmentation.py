"""Augmentation: exact results of every step for known random numbers, their laws, and seeds."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import data, nn
from tinygrad_cs.data.augmentation.color import LUMA, color_matrices
from tinygrad_cs.engine import errors

ALMOST_ONE = np.nextafter(1, 0)


def pictures(n=12, channels=3, height=9, width=8, dtype=np.float64, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (n, channels, height, width))
    return values.astype(np.uint8) if dtype == np.uint8 else (values / 255).astype(dtype)


def fitted():
    return data.PCAColorJitter(std=0.5).fit(pictures(seed=5))


STEPS = [
    data.RandomHorizontalFlip(),
    data.RandomVerticalFlip(p=0.3),
    data.RandomCrop((9, 8), padding=2, p=0.7),
    data.RandomCrop(5, padding=(3, 1), padding_mode="reflect"),
    data.RandomCrop((9, 8), padding=1, padding_mode="edge", fill=0.5),
    data.RandomResizedCrop((9, 8), p=0.5),
    data.RandomResizedCrop(6, scale=(0.3, 0.9)),
    data.RandomAffine(20, (0.2, 0.1), p=0.8),
    data.ColorJitter(0.4, 0.4, 0.4, 0.2, p=0.6),
    data.ColorJitter(hue=0.5),
    data.PCAColorJitter(),
    data.Cutout(4, fill=0.5),
    data.GaussianNoise(0.2, p=0.5),
]
every_step = pytest.mark.parametrize("step", STEPS, ids=repr)


def made(step):
    if isinstance(step, data.PCAColorJitter):
        return fitted()
    return copy.deepcopy(step)


@every_step
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.float16])
def test_images_in_images_out(step, dtype):
    x = pictures(dtype=dtype)
    before = x.copy()
    y = made(step)(x, generator=0)
    assert y.dtype == dtype and y.ndim == 4 and len(y) == len(x) and y.flags.c_contiguous
    assert not np.shares_memory(x, y)
    assert_array_equal(x, before)
    assert made(step)(x[:0]).shape == (0, *y.shape[1:])
    labels = np.arange(len(x))
    again, same = made(step)(x, labels, generator=0)
    assert_array_equal(again, y)
    assert same is labels


@every_step
def test_equal_seeds_equal_images_in_any_batches(step):
    x, step = pictures(20, dtype=np.float32), made(step)
    whole = step(x, generator=3)
    assert_array_equal(step(x, generator=np.random.default_rng(3)), whole)
    assert (step(x, generator=4) != whole).any()
    generator = np.random.default_rng(3)
    parts = [step(part, generator=generator) for part in np.split(x, [1, 2, 9])]
    assert_array_equal(np.concatenate(parts), whole)
    tg.manual_seed(3)
    assert_array_equal(step(x), whole)


@every_step
def test_bytes_and_floats_agree(step):
    x, step = pictures(dtype=np.uint8), made(step)
    from_bytes = step(x, generator=1)
    from_floats = step(x / 255.0, generator=1)
    # half a grey value of rounding; noise is drawn in single precision for bytes
    if isinstance(step, data.GaussianNoise):
        from_floats = step((x / 255.0).astype(np.float32), generator=1)
    assert abs(from_bytes / 255.0 - from_floats).max() <= 0.5 / 255 + 1e-6
    assert from_floats.min() >= 0 and from_floats.max() <= 1


@every_step
def test_every_probability(step):
    """Of p only the choice depends; nothing is chosen for p = 0, and all for p = 1."""
    step, x = made(step), pictures(2000, height=4, width=4)
    if hasattr(step, "size") and not isinstance(step, data.Cutout):
        step.size = (4, 4)
    fit = step.state_dict() if isinstance(step, data.PCAColorJitter) else None

    def changed(p):
        step.set_params(p=p)
        if fit:
            step.load_state_dict(fit)
        return step(x, generator=0)

    all_changed, some = changed(1.0), changed(0.3)
    chosen = np.random.default_rng(0).random((len(x), 1 + step.draws))[:, 0] < 0.3
    assert 0.25 < chosen.mean() < 0.35
    assert_array_equal(some, np.where(chosen[:, None, None, None], all_changed, x))
    assert_array_equal(changed(0.0), x)


@every_step
def test_steps_copy_pickle_and_print(step):
    step, x = made(step), pictures()
    for other in (copy.deepcopy(step), pickle.loads(pickle.dumps(step))):
        assert_array_equal(other(x, generator=0), step(x, generator=0))
    rebuilt = eval(repr(step), vars(data))
    assert repr(rebuilt) == repr(step)


# Flips


@pytest.mark.parametrize(
    ("make", "axis"), [(data.RandomHorizontalFlip, 3), (data.RandomVerticalFlip, 2)]
)
def test_flip_of_flip_is_nothing(make, axis):
    x = pictures()
    flip = make(p=1)
    assert_array_equal(flip(x), np.flip(x, axis))
    assert_array_equal(flip(flip(x)), x)


# Crops


def test_every_place_of_a_crop_is_reached_and_no_other():
    x = 1 + np.arange(12.0).reshape(1, 1, 3, 4)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2)))
    windows = {padded[0, 0, i : i + 2, j : j + 3].tobytes(): 0 for i in range(4) for j in range(6)}
    crop = data.RandomCrop((2, 3), padding=(1, 2))
    drawn = crop(np.repeat(x, 4800, axis=0), generator=0)
    for image in drawn:
        windows[image[0].tobytes()] += 1
    counts = np.array(list(windows.values()))
    assert len(counts) == 24 and counts.min() > 130 and counts.max() < 270  # 200 expected


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
def test_crops_of_known_numbers(mode):
    x = pictures(3, height=5, width=6)
    padded = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)), mode=mode)
    crop = data.RandomCrop((5, 6), padding=2, padding_mode=mode)
    uniform = np.array([[0, 0, 0], [0, ALMOST_ONE, 0.5], [0, 0.2, ALMOST_ONE]])
    expected = [padded[0, :, :5, :6], padded[1, :, 4:, 2:8], padded[2, :, 1:6, 4:]]
    assert_array_equal(crop.apply(x, uniform), expected)


def test_padding_is_filled():
    x = np.ones((1, 1, 1, 1))
    for dtype, one in ((np.uint8, 255), (np.float32, 1)):
        crop = data.RandomCrop(3, padding=1, fill=0.4)
        y = crop((one * x).astype(dtype), generator=0)
        assert_allclose(np.sort(y.ravel()), one * np.array([0.4] * 8 + [1]), rtol=1e-6)


def test_resized_crops_have_the_areas_and_shapes_asked_for():
    crop = data.RandomResizedCrop(8, scale=(0.2, 0.5), ratio=(0.5, 2))
    uniform = np.random.default_rng(0).random((4000, crop.draws))
    top, left, h, w = crop._boxes(uniform, 40, 60)
    assert top.min() == 0 and left.min() == 0
    assert (top + h).max() == 40 and (left + w).max() == 60
    share, ratio = h * w / 2400, w / h
    assert 0.18 < share.min() < 0.22 and 0.48 < share.max() < 0.52
    assert 0.45 < ratio.min() < 0.55 and 1.8 < ratio.max() < 2.2
    assert abs(share.mean() - 0.345) < 0.02 and abs(np.log(ratio).mean()) < 0.1


def test_resized_crops_of_known_numbers():
    x = pictures(2, height=8, width=8)
    whole = data.RandomResizedCrop(8, scale=(1, 1), ratio=(1, 1))
    assert_allclose(whole(x), x, atol=1e-12)
    quarter = data.RandomResizedCrop(4, scale=(0.25, 0.25), ratio=(1, 1))
    uniform = np.zeros((2, 1 + quarter.draws))
    uniform[:, -2:] = [[0, ALMOST_ONE], [0.5, 0]]
    y = quarter.apply(x, uniform)
    assert_allclose(y, [x[0, :, :4, 4:], x[1, :, 2:6, :4]], atol=1e-12)


@pytest.mark.parametrize("size", [3, 4, 9])
def test_pixels_outside_of_a_crop_do_not_shine_in(size):
    x = pictures(2, height=8, width=8)
    crop = data.RandomResizedCrop(size, scale=(0.25, 0.25), ratio=(1, 1))
    uniform = np.zeros((2, 1 + crop.draws))
    uniform[:, -2:] = [[0, ALMOST_ONE], [0.5, 0]]
    for y, part in zip(crop.apply(x, uniform), [x[:1, :, :4, 4:], x[1:, :, 2:6, :4]], strict=True):
        assert_allclose(y, data.resize(part, size)[0], atol=1e-12)


def test_crops_that_never_fit_are_the_middle():
    x = pictures(1, height=12, width=3)
    y = data.RandomResizedCrop(3, scale=(1, 1), ratio=(1, 1))(x)
    assert_allclose(y, x[:, :, 5:8], atol=1e-12)


def test_resize():
    x = pictures(2, height=6, width=4)
    assert_allclose(data.resize(x, (6, 4)), x, atol=1e-15)
    # the mean over blocks is not quite what a triangle gives; of constants and lines it is exact
    assert_allclose(data.resize(np.full((1, 1, 7, 5), 0.3), (3, 9)), 0.3)
    line = np.broadcast_to(np.linspace(0, 1, 40), (1, 1, 2, 40))
    for size in (20, 80):
        inner = data.resize(line, (2, size))[0, 0, 0, 4:-4]
        step = 40 / size / 39
        assert_allclose(np.diff(inner), step)
    assert data.resize(x.astype(np.float32), 3).dtype == np.float32
    bytes_ = pictures(dtype=np.uint8)
    assert_allclose(data.resize(bytes_, 5), data.resize(bytes_ / 255.0, 5) * 255, atol=0.51)
    assert data.resize(x[:0], 3).shape == (0, 3, 3, 3)


def test_center_crop():
    x = pictures(1, height=6, width=7)
    assert_array_equal(data.center_crop(x, (2, 3)), x[:, :, 2:4, 2:5])


# Rotation and shift


def test_quarter_turns_and_whole_shifts_are_exact():
    x = pictures(height=7, width=7)
    for quarters in (-1, 0, 1, 2):
        angle = 90 * quarters
        turned = data.RandomAffine((angle, angle))(x)
        assert_allclose(turned, np.rot90(x, quarters, axes=(2, 3)), atol=1e-12)
    uniform = np.tile([0, 0.5, ALMOST_ONE, 0], (len(x), 1))
    shifted = data.RandomAffine(0, (2 / 7, 1 / 7)).apply(x, uniform)
    expected = np.zeros_like(x)
    expected[:, :, :-1, 2:] = x[:, :, 1:, :-2]
    assert_allclose(shifted, expected, atol=1e-9)


def test_half_a_pixel_is_the_mean_of_two():
    x = np.array([[[[0.0, 0.4, 1.0, 0.2]]]])
    uniform = np.array([[0, 0.5, 1, 0.5]])  # to the right by all of 0.125 * 4
    y = data.RandomAffine(0, (0.125, 0), fill=0.8).apply(x, uniform)
    assert_allclose(y, [[[[0.4, 0.2, 0.7, 0.6]]]])


def test_what_is_outside_is_filled():
    y = data.RandomAffine(0, (1, 0), fill=0.25).apply(
        pictures(1, dtype=np.uint8), np.array([[0, 0.5, ALMOST_ONE, 0.5]])
    )
    assert (y == 64).all()


@given(seed=st.integers(0, 100), degrees=st.floats(0, 360))
def test_turning_back_gives_smooth_images_back(seed, degrees):
    phase = np.random.default_rng(seed).random(2) * 6
    r, c = np.mgrid[:31, :31]
    x = (0.5 + 0.25 * np.sin(r / 9 + phase[0]) + 0.2 * np.cos(c / 7 + phase[1]))[None, None]
    forth = data.RandomAffine((degrees, degrees))(x)
    back = data.RandomAffine((-degrees, -degrees))(forth)
    inside = (r - 15) ** 2 + (c - 15) ** 2 < 12**2
    assert abs(back - x)[0, 0][inside].max() < 0.01


# Colours


def jittered(x, **factors):
    return data.ColorJitter(**{name: (f, f) for name, f in factors.items()})(x)


def blend(factor, x, other):
    return np.clip(factor * x + (1 - factor) * other, 0, 1)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 1.7])
def test_brightness_contrast_saturation(factor):
    x = pictures()
    luma = np.einsum("nchw,c->nhw", x, [0.299, 0.587, 0.114])[:, None]
    mean = luma.mean((2, 3), keepdims=True)
    assert_allclose(jittered(x, brightness=factor), blend(factor, x, 0), atol=1e-12)
    assert_allclose(jittered(x, contrast=factor), blend(factor, x, mean), atol=1e-12)
    assert_allclose(jittered(x, saturation=factor), blend(factor, x, luma), atol=1e-12)
    grey = x[:, :1]
    assert_allclose(jittered(grey, brightness=factor), blend(factor, grey, 0), atol=1e-12)
    expected = blend(factor, grey, grey.mean((2, 3), keepdims=True))
    assert_allclose(jittered(grey, contrast=factor), expected, atol=1e-12)


def test_expected_brightness():
    """Factors uniform around 1 leave the mean where it is, and spread as they should."""
    x = np.full((20_000, 1, 1, 1), 0.5)
    y = data.ColorJitter(brightness=0.4)(x, generator=0)
    assert abs(y.mean() - 0.5) < 0.003 and abs(y.std() - 0.5 * 0.4 / 3**0.5) < 0.002
    assert y.min() > 0.3 and y.max() < 0.7 and y.min() < 0.301 and y.max() > 0.699


def test_colours_in_any_order():
    """Brightness, contrast, saturation and hue commute, as long as nothing is clipped."""
    x = 0.45 + 0.1 * pictures()
    factors = {"brightness": 1.1, "contrast": 0.8, "saturation": 0.7, "hue": 0.13}
    together = jittered(x, **factors)
    for order in (list(factors), list(factors)[::-1], ["hue", "contrast", "brightness"]):
        y = x
        for name in [*order, *(set(factors) - set(order))]:
            y = jittered(y, **{name: factors[name]})
        assert_allclose(y, together, atol=1e-12)


def test_a_full_turn_of_hue_is_nothing():
    x = pictures()
    assert_allclose(color_matrices(np.ones(1), np.ones(1))[0], np.eye(3), atol=1e-12)
    half = color_matrices(np.ones(1), np.array([0.5]))[0]
    assert_allclose(half @ half, np.eye(3), atol=1e-12)
    assert_allclose(half, 2 * np.outer(np.ones(3), LUMA) - np.eye(3), atol=1e-12)
    assert_allclose(jittered(x, hue=0.5), jittered(x, hue=-0.5), atol=1e-12)


def test_hue_keeps_luma_and_grey():
    matrices = color_matrices(np.ones(9), np.linspace(-0.5, 0.5, 9))
    assert_allclose(LUMA @ matrices, np.tile(LUMA, (9, 1)), atol=1e-12)
    assert_allclose(matrices @ np.ones(3), 1, atol=1e-12)
    third = color_matrices(np.ones(1), np.array([1 / 3]))[0]
    assert_allclose(np.linalg.matrix_power(third, 3), np.eye(3), atol=1e-12)
    assert abs(third - np.eye(3)).max() > 0.5


def test_colours_of_grey_images_are_refused():
    grey = pictures(channels=1)
    for step, message in [
        (data.ColorJitter(saturation=0.1, p=0), "saturation"),
        (data.ColorJitter(hue=0.1), "hue"),
        (fitted(), "PCAColorJitter"),
    ]:
        with pytest.raises(errors.ShapeError, match=f"{message} needs .* grey images have no col"):
            step(grey)
    with pytest.raises(errors.ShapeError, match="grey images"):
        data.PCAColorJitter().fit(grey)
    with pytest.raises(errors.ShapeError, match=r"3 channels.*got 4"):
        data.ColorJitter(brightness=0.1)(pictures(channels=4))
    with pytest.raises(data.NotFittedError, match=r"fit\(training_images\)"):
        data.PCAColorJitter(p=0)(pictures())


@pytest.mark.parametrize(
    ("scale", "shift", "advice"), [(255, 0, "divide by 255"), (2, -1, "before standardising")]
)
@pytest.mark.parametrize(
    "make",
    [lambda: data.ColorJitter(0.1), lambda: data.GaussianNoise(p=0), fitted],
    ids=["jitter", "noise", "pca"],
)
def test_intensities_without_limits_are_refused(scale, shift, advice, make):
    with pytest.raises(errors.ArgumentError, match=rf"values in \[0, 1\].*{advice}"):
        make()(pictures() * scale + shift)
    if shift:
        with pytest.raises(errors.ArgumentError):
            make()(np.full((1, 3, 2, 2), np.nan))


def test_principal_colours_are_added():
    x = 0.3 + 0.4 * pictures(400)
    augment = data.PCAColorJitter(std=0.1).fit(x)
    pixels = x.transpose(0, 2, 3, 1).reshape(-1, 3)
    values, vectors = np.linalg.eigh(np.cov(pixels.T, bias=True))
    assert_allclose(augment.eigenvalues, values[::-1])
    assert_allclose(abs(augment.eigenvectors), abs(vectors[:, ::-1]), atol=1e-9)
    shifts = augment(x, generator=0) - x
    assert_allclose(shifts, shifts[:, :, :1, :1] + 0 * x, atol=1e-12)
    along = shifts[:, :, 0, 0] @ augment.eigenvectors / augment.eigenvalues
    assert_allclose(along.std(0), 0.1, rtol=0.15)
    assert_allclose(np.corrcoef(along.T), np.eye(3), atol=0.2)
    bytes_ = data.PCAColorJitter().fit(np.rint(255 * x).astype(np.uint8))
    assert_allclose(bytes_.eigenvalues, augment.eigenvalues, rtol=1e-2)
    state = augment.state_dict()
    other = data.PCAColorJitter(std=0.1).load_state_dict(state)
    assert_array_equal(other(x, generator=0), augment(x, generator=0))


# Cutout and noise


def test_cutout_hides_a_square():
    x = np.ones((5000, 2, 6, 8))
    hidden = data.Cutout(4)(x, generator=0) == 0
    assert_array_equal(hidden[:, 0], hidden[:, 1])
    rows, columns = hidden[:, 0].any(2).sum(1), hidden[:, 0].any(1).sum(1)
    area = hidden[:, 0].sum((1, 2))
    assert_array_equal(area, rows * columns)
    assert set(rows) == {2, 3, 4} and set(columns) == {2, 3, 4}
    # the middle is any pixel: of 6 rows, 0, 1 and 5 cut off 2, 1 and 1 of the square's
    assert abs(rows.mean() - (2 + 3 + 4 + 4 + 4 + 3) / 6) < 0.05
    assert abs(columns.mean() - (2 + 3 + 4 * 5 + 3) / 8) < 0.05
    uniform = np.array([[0, 0.5, 0.5]])
    y = data.Cutout((2, 4), fill=0.5).apply(x[:1], uniform)
    expected = np.ones((6, 8))
    expected[2:4, 2:6] = 0.5
    assert_array_equal(y[0, 0], expected)


def test_noise_has_its_deviation_and_is_clipped():
    x = np.full((200, 3, 8, 8), 0.5, np.float32)
    noise = data.GaussianNoise(0.05)(x, generator=0) - x
    assert abs(noise.mean()) < 1e-3 and abs(noise.std() - 0.05) < 1e-3
    assert abs(np.corrcoef(noise.reshape(200, -1)[:2])[0, 1]) < 0.3
    wild = data.GaussianNoise(2.0)(x, generator=0)
    assert wild.min() == 0 and wild.max() == 1
    free = data.GaussianNoise(2.0, clip=False)(5 * x, generator=0)
    assert free.min() < -1 and abs(free.std() - 2) < 0.05
    whole = data.GaussianNoise(9.0, clip=False)(np.full((1, 1, 9, 9), 9, np.uint8), generator=0)
    assert set(whole.ravel()) <= {0, 255} | set(range(256)) and whole.min() == 0


# Mixing


@pytest.mark.parametrize("make", [data.Mixup, data.CutMix])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_mixed_targets_sum_to_one_and_say_what_is_seen(make, dtype):
    labels = np.arange(64) % 4
    # every image shows its label in its own channel, so that shares can be read off
    x = np.zeros((64, 4, 8, 8), dtype)
    x[np.arange(64), labels] = 255 if dtype == np.uint8 else 1
    y, targets = make(num_classes=4)(x, labels, generator=0)
    assert y.dtype == dtype and targets.dtype == np.float32 and targets.shape == (64, 4)
    assert_allclose(targets.sum(1), 1, rtol=1e-6)
    assert targets.min() >= 0
    shown = y.mean((2, 3)) / x.max()
    assert_allclose(targets, shown, atol=0.5 / 255 + 1e-6 if dtype == np.uint8 else 1e-6)
    assert (targets.max(1) < 0.95).sum() > 20
    soft = np.eye(4)[labels]
    again, mixed = make()(x, soft, generator=0)
    assert_array_equal(again, y)
    assert mixed.dtype == np.float64
    assert_allclose(mixed, targets, atol=1e-6)
    untouched, plain = make(num_classes=4, p=0)(x, labels, generator=0)
    assert_array_equal(untouched, x)
    assert_array_equal(plain, soft)


def test_cutmix_pastes_one_rectangle():
    x = np.arange(2000.0).reshape(-1, 1, 1, 1) / 2000 + np.zeros((1, 7, 9))
    y, targets = data.CutMix()(x, np.eye(2000), generator=0)
    for i, image in enumerate(y[:, 0]):
        pasted = image != x[i, 0]
        assert pasted.sum() == pasted.any(1).sum() * pasted.any(0).sum()
        assert_allclose(targets[i, i], 1 - pasted.mean())


def test_shares_follow_the_beta_law():
    x, y = np.zeros((20_000, 1, 1, 1)), np.eye(2)[np.arange(20_000) % 2]
    for alpha, deviation in ((1.0, 12**-0.5), (0.2, (0.25 / 1.4) ** 0.5)):
        mixup = data.Mixup(alpha)
        random = np.random.default_rng(0)
        random.permutation(len(x))
        share = random.beta(alpha, alpha, len(x))
        assert abs(share.std() - deviation) < 0.01
        order = np.random.default_rng(0).permutation(len(x))
        _, targets = mixup(x, y, generator=0)
        assert_allclose(targets, share[:, None] * y + (1 - share[:, None]) * y[order])


def test_mixed_targets_are_those_of_cross_entropy():
    x, labels = pictures(dtype=np.float32), np.arange(12) % 3
    mixed, targets = data.Mixup(0.3, num_classes=3)(x, labels, generator=0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(216, 3))
    loss = nn.CrossEntropyLoss()(model(mixed), targets)
    expected = -(nn.functional.log_softmax(model(mixed), dim=1).data * targets).sum(1).mean()
    assert_allclose(loss.item(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: data.Mixup()(x), errors.ArgumentError, "mixes targets too"),
        (lambda x: data.Mixup()(x, np.zeros(12, int)), errors.ArgumentError, "num_classes=..."),
        (lambda x: data.Mixup(num_classes=3)(x, np.full(12, 3)), errors.IndexOutOfRange, "0 to 2"),
        (lambda x: data.Mixup(num_classes=3)(x, np.full(12, -1)), errors.IndexOutOfRange, "-1"),
        (lambda x: data.CutMix(num_classes=3)(x, np.zeros(5, int)), errors.ShapeError, "length"),
        (lambda x: data.CutMix(num_classes=3)(x, np.zeros((12, 4))), errors.ShapeError, "12, 4"),
        (lambda x: data.CutMix(num_classes=3)(x, np.zeros(12)), errors.DTypeError, "labels"),
        (lambda x: data.Mixup(alpha=0), errors.ArgumentError, "alpha"),
        (lambda x: data.Mixup(num_classes=0), errors.ArgumentError, "num_classes"),
        (lambda x: data.Mixup(p=1.5), errors.ArgumentError, "p to be"),
    ],
)
def test_mixing_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call(pictures())


# Several in turn


def chain(**options):
    return data.Compose(
        [
            data.RandomCrop((9, 8), padding=2),
            data.Compose([data.RandomHorizontalFlip(), data.ColorJitter(0.3, 0.3, 0.3, 0.1)]),
            fitted(),
            data.RandomAffine(10, p=0.5),
            data.GaussianNoise(0.02),
            data.Cutout(3),
        ],
        **options,
    )


def test_compose_is_split_independent_and_seeded():
    x = pictures(20, dtype=np.float32)
    whole = chain()(x, generator=0)
    generator = np.random.default_rng(0)
    parts = [chain()(part, generator=generator) for part in np.split(x, [3, 4])]
    assert_array_equal(np.concatenate(parts), whole)
    own = chain(generator=0)
    assert_array_equal(own(x), whole)
    assert (own(x) != whole).any(), "the next epoch is another one"
    assert_array_equal(own(x, generator=0), whole)
    tg.manual_seed(0)
    assert_array_equal(chain()(x), whole)


def test_compose_applies_its_steps_in_order():
    x, labels = pictures(dtype=np.float32), np.arange(12) % 3
    scaler = data.ChannelStandardizer().fit(x)
    flip, jitter = data.RandomHorizontalFlip(), data.ColorJitter(0.4)
    augment = data.Compose([flip, jitter, scaler.transform, data.Mixup(num_classes=3)])
    y, targets = augment(x, labels, generator=5)
    random = np.random.default_rng(5)
    uniform = random.random((12, 6))
    expected = jitter.apply(flip.apply(x, uniform[:, :1]), uniform[:, 1:])
    expected, soft = data.Mixup(num_classes=3)(scaler.transform(expected), labels, generator=random)
    assert_array_equal(y, expected)
    assert_array_equal(targets, soft)
    assert repr(data.Compose([flip])) == "Compose([RandomHorizontalFlip(p=0.5)])"
    assert_array_equal(data.Compose([])(x), x)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_loaders_give_the_same_whatever_the_number_of_workers(num_workers):
    dataset = data.TensorDataset(pictures(40, dtype=np.uint8), np.arange(40) % 3)
    augment = data.Compose([chain(), data.CutMix(num_classes=3)])

    def epochs(workers):
        loader = data.DataLoader(
            dataset,
            batch_size=7,
            shuffle=True,
            transform=lambda batch: augment(*batch),
            num_workers=workers,
            generator=1,
        )
        return [batch for _ in range(2) for batch in loader]

    for (a, s), (b, t) in zip(epochs(0), epochs(num_workers), strict=True):
        assert_array_equal(a, b)
        assert_array_equal(s, t)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data.RandomHorizontalFlip(p=1.1), "p to be"),
        (lambda: data.RandomVerticalFlip(p=True), "p to be"),
        (lambda: data.RandomCrop(0), "size"),
        (lambda: data.RandomCrop(4.0), "size"),
        (lambda: data.RandomCrop((1, 2, 3)), "size"),
        (lambda: data.RandomCrop(4, padding=-1), "padding"),
        (lambda: data.RandomCrop(4, padding_mode="wrap"), "padding_mode"),
        (lambda: data.RandomCrop(4, fill=np.nan), "fill"),
        (lambda: data.RandomResizedCrop(4, scale=(0, 1)), "scale"),
        (lambda: data.RandomResizedCrop(4, scale=(0.5, 0.1)), "scale"),
        (lambda: data.RandomResizedCrop(4, ratio=(-1, 1)), "ratio"),
        (lambda: data.RandomAffine(-5), "degrees"),
        (lambda: data.RandomAffine((5, 1)), "degrees"),
        (lambda: data.RandomAffine(5, translate=0.1), "translate"),
        (lambda: data.RandomAffine(5, translate=(0, 2)), "translate"),
        (lambda: data.ColorJitter(brightness=-0.1), "brightness"),
        (lambda: data.ColorJitter(contrast=(2, 1)), "contrast"),
        (lambda: data.ColorJitter(saturation="a"), "saturation"),
        (lambda: data.ColorJitter(hue=0.6), "hue"),
        (lambda: data.PCAColorJitter(std=-1), "std"),
        (lambda: data.Cutout(0), "size"),
        (lambda: data.GaussianNoise(np.inf), "sigma"),
        (lambda: data.Compose(data.Cutout(2)), "list"),
        (lambda: data.Compose([3]), "got 3"),
        (lambda: data.Compose([data.RandomVerticalFlip]), "parentheses"),
        (lambda: data.Compose([data.Compose([], generator=0)]), "outermost"),
        (lambda: data.Compose([], generator=-1), "seed"),
        (lambda: data.Cutout(2)(pictures(), generator="0"), "seed"),
        (lambda: data.Cutout(2).set_params(side=3), "expected one of size, fill, p"),
        (lambda: data.FiveCrop(0), "size"),
        (lambda: data.ScaleViews(24), "list"),
        (lambda: data.ScaleViews([]), "list"),
        (lambda: data.ScaleViews([0]), "sizes"),
        (lambda: data.resize(pictures(), 0), "size"),
    ],
)
def test_arguments_are_checked(make, message):
    with pytest.raises(errors.ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    "step", [*STEPS[:3], data.Mixup(num_classes=2), data.Compose([])], ids=repr
)
def test_what_is_no_batch_of_images_is_refused(step):
    for wrong, error, message in [
        (np.zeros((4, 3, 8)), errors.ShapeError, r"\(N, C, H, W\).*transpose"),
        (np.zeros((4, 3, 0, 8)), errors.ShapeError, "pixels"),
        (np.zeros((4, 3, 8, 8), int), errors.DTypeError, "uint8"),
        (np.zeros((4, 3, 8, 8), bool), errors.DTypeError, "uint8"),
    ]:
        with pytest.raises(error, match=message):
            step(wrong, np.zeros(4, int))


def test_sizes_that_do_not_fit():
    with pytest.raises(errors.ShapeError, match="at least 10 by 10"):
        data.RandomCrop(12, padding=1)(pictures())
    for step in (data.RandomCrop(4, p=0.5), data.RandomResizedCrop(4, p=0)):
        with pytest.raises(errors.ShapeError, match="write p=1"):
            step(pictures())
    for views in (data.FiveCrop(9), data.TenCrop((10, 8)), lambda x: data.center_crop(x, 9)):
        with pytest.raises(errors.ShapeError, match="at least"):
            views(pictures())


# Test-time augmentation


def test_views():
    x = pictures(2, height=5, width=6)
    five = data.FiveCrop((3, 2))(x)
    expected = [x[..., :3, :2], x[..., :3, 4:], x[..., 2:, :2], x[..., 2:, 4:], x[..., 1:4, 2:4]]
    for view, part in zip(five, expected, strict=True):
        assert_array_equal(view, part)
    ten = data.TenCrop((3, 2))(x)
    for view, part in zip(ten, five + [v[..., ::-1] for v in five], strict=True):
        assert_array_equal(view, part)
    flips = data.FlipViews(vertical=True)(x)
    for view, part in zip(
        flips, [x, x[..., ::-1], x[..., ::-1, :], x[..., ::-1, ::-1]], strict=True
    ):
        assert_array_equal(view, part)
    assert [v.shape[2:] for v in data.ScaleViews([4, (5, 6)])(x)] == [(4, 4), (5, 6)]
    assert_allclose(data.ScaleViews([(5, 6)])(x)[0], x, atol=1e-12)


def test_probabilities_are_averaged_not_logits():
    x = np.zeros((1, 1, 1, 2))
    x[..., 0] = 1

    def model(view):  # very sure of class 0 for the image, sure of class 1 for its mirror image
        return np.where(view[:, 0, 0, :1] == 1, [[100.0, 0.0]], [[0.0, 3.0]])

    p = data.average_views(model, x, data.FlipViews())
    sure = 1 / (1 + np.exp(-3))
    assert_allclose(p, [[(1 + 1 - sure) / 2, sure / 2]], rtol=1e-12)
    q = data.average_views(
        lambda v: nn.functional.softmax(model(v), dim=1), x, data.FlipViews(), logits=False
    )
    assert_allclose(q, p)


def test_views_of_views_and_modules():
    x = pictures(4, height=8, width=8, dtype=np.float32)
    tg.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(errors.ArgumentError, match=r"model.eval\(\)"):
        data.average_views(model, x, data.FlipViews())
    model.eval()
    p = data.average_views(model, x, [data.ScaleViews([8, 10]), data.FlipViews()])
    views = [v for s in data.ScaleViews([8, 10])(x) for v in data.FlipViews()(s)]
    assert len(views) == 4
    expected = np.mean([nn.functional.softmax(model(v), dim=1).data for v in views], axis=0)
    assert_allclose(p, expected, rtol=1e-5)
    assert isinstance(p, np.ndarray) and p.dtype == np.float32
    alone = data.average_views(model, x, data.FiveCrop(8))
    assert_allclose(alone, nn.functional.softmax(model(x), dim=1).data, rtol=1e-5)
    with pytest.raises(errors.ShapeError, match=r"\(4, classes\)"):
        data.average_views(lambda v: v, x, data.FlipViews())
    with pytest.raises(errors.ArgumentError, match="at least one view"):
        data.average_views(model, x, lambda v: [])
