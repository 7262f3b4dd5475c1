"""Fooling a net: how small a change makes it misread a digit?

Claim (Goodfellow, Shlens and Szegedy, Explaining and Harnessing Adversarial Examples, 2014): one
step of every pixel along the sign of the gradient with respect to the *input* fools a net with a
change that noise of the same size could never do, because many small changes, all in the worst
direction, add up.

Measured on the test images that a net with one hidden layer reads correctly, with pixels between 0
and 1. Where noise of 0.1 in every pixel makes the net misread 2 % of them, one step of 0.1 along
the sign of the gradient makes it misread half. Ten small steps in place of one are hardly better,
as if the net were linear. To have it read a particular other digit takes more, 0.18 for half of
the images. But the change is plain to see: it takes a tenth of the range, since 64 pixels are few.
The paper's argument is that the effect grows with the number of pixels, and the size of the change
does not: photographs have thousands of times as many.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

SIZES = np.arange(0, 0.41, 0.02)
CHANGES = ("one step", "ten steps", "ten steps, next digit", "noise")


@cache
def trained(quick: bool, seed: int) -> tuple[nn.Sequential, Any, Any]:
    """A net, and the test images (n, 64) in [0, 1] and labels that it reads correctly."""
    images, labels = data.load_digits()
    training, _, (x, y) = data.train_validation_test_split(
        images / 16, labels, seed=seed, stratify=labels
    )
    tg.manual_seed(seed)
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = tg.optim.Adam(net.parameters(), lr=5e-3)

    @tg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(10 if quick else 30):
        for batch in data.DataLoader(data.TensorDataset(*training), 32, shuffle=True):
            step(*batch)
    right = answers(net, x) == y
    return net, x[right], y[right]


@tg.no_grad()
def answers(net: nn.Module, images: Any) -> Any:
    """The digits that the net reads."""
    return net(images).data.argmax(1)


def input_gradient(net: nn.Module, images: Any, labels: Any) -> Any:
    """d loss / d pixel: in which direction each pixel makes the label less likely."""
    x = tg.tensor(images, requires_grad=True)
    return tg.func.grad(lambda x: nn.functional.cross_entropy(net(x), labels))(x).data


def changed(how: str, size: float, quick: bool, seed: int) -> Any:
    """The images with no pixel changed by more than `size`, still between white and black."""
    net, images, labels = trained(quick, seed)
    if how == "noise":
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=images.shape)
        return np.clip(images + size * signs, 0, 1).astype("float32")
    steps, x = (1, images) if how == "one step" else (10, images)
    targets, sign = ((labels + 1) % 10, -1) if how == "ten steps, next digit" else (labels, 1)
    for _ in range(steps):
        # Twice the way that is allowed, so that a pixel can turn back and still get there.
        x = x + sign * 2 * size / steps * np.sign(input_gradient(net, x, targets))
        x = np.clip(np.clip(x, images - size, images + size), 0, 1).astype("float32")
    return x


@cache
def fooled(how: str, quick: bool, seed: int) -> Any:
    """For each size (rows) and image, whether it is misread - as the next digit, if that is how."""
    net, _, labels = trained(quick, seed)
    read = np.array([answers(net, changed(how, size, quick, seed)) for size in SIZES])
    return read == (labels + 1) % 10 if how.endswith("next digit") else read != labels


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Shares that are fooled, and the size that fools half of the images (inf: none here)."""
    net, images, labels = trained(quick, seed)
    found: dict[str, float] = {"images, all read correctly": len(images)}
    for how in CHANGES:
        shares = fooled(how, quick, seed).mean(1)
        for size in (0.06, 0.1, 0.2):
            found[f"{how}: share fooled by {size}"] = shares[np.isclose(SIZES, size)].item()
        half = SIZES[shares >= 0.5]
        found[f"{how}: size that fools half"] = half[0] if len(half) else np.inf
    for how in ("one step", "noise"):
        logits = net(changed(how, 0.1, quick, seed))
        loss = nn.functional.cross_entropy(logits, labels).item()
        found[f"loss after a change by 0.1, {how}"] = loss
    found["loss without a change"] = nn.functional.cross_entropy(net(images), labels).item()
    return found


def draw(quick: bool, seed: int) -> Figure:
    """Shares against size, and an image, its change and what comes out."""
    net, images, labels = trained(quick, seed)
    picture, ((left, *cells),) = figure(14, 3.8, columns=4)
    for how, line in zip(CHANGES, ("-", "--", "-.", ":"), strict=True):
        left.plot(SIZES, fooled(how, quick, seed).mean(1), line, label=how)
    left.set(title="Fooled", xlabel="change of a pixel (white to black = 1)")
    left.set(ylabel="share of test images", ylim=(-0.03, 1.03))
    left.legend(fontsize=9)
    # An image as hard to fool as most.
    needed = fooled("one step", quick, seed).argmax(0)
    i = np.argsort(needed, kind="stable")[len(needed) // 2]
    size = SIZES[needed[i]]
    wrong = changed("one step", size, quick, seed)[i]
    read = answers(net, wrong[None])[0]
    cells[0].set_title(f"a {labels[i]}")
    cells[1].set_title(f"darker and lighter by {size:.2f}")
    cells[2].set_title(f"read as {read}", color=ORANGE)
    for cell, image in zip(cells, (images[i], wrong - images[i], wrong), strict=True):
        change = cell is cells[1]
        limits = (-2 * size, 2 * size) if change else (0, 1)
        colours = "PuOr_r" if change else "gray_r"
        cell.imshow(image.reshape(8, 8), cmap=colours, vmin=limits[0], vmax=limits[1])
        cell.axis("off")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("fooling", __doc__, finding, draw))
