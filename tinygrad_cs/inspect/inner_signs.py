"""What a watch tells: gradients and activations, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..engine.types import np
from ..nn import Embedding
from .findings import Finding
from .watcher import Watch

FEW = 1e-3
"""A gradient this much smaller than that of another layer hardly teaches its layer."""
MANY = 1e3


class Inside:
    """The records of a watch, by layer and weight matrix."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        sparse = {
            f"{name}.weight".lstrip(".")
            for name, module in watch.model.named_modules()
            if isinstance(module, Embedding)
        }
        sizes = {name: parameter.size for name, parameter in watch.model.named_parameters()}
        self.matrices = [name for name in watch.matrices if name not in sparse]
        self.gradients = {
            name: np.array([np.nan if v is None else v for v in watch.series(name, "gradient")[1]])
            / math.sqrt(sizes[name])
            for name in self.matrices
        }
        """Of each matrix the root mean square of the gradient's entries, by measurement."""

    def ratio(self) -> float | None:
        """The median update-to-weight ratio, over matrices and measurements."""
        found = [
            value
            for name in self.matrices or self.watch.parameters
            for value in self.watch.series(name, "ratio")[1]
            if value is not None and math.isfinite(value)
        ]
        return float(np.median(found)) if found else None

    def deviations(self) -> list[tuple[str, float]]:
        """Of each layer: the median deviation of its outputs."""
        found = []
        for name in self.watch.layers[1:]:
            values = [v for v in self.watch.series(name, "deviation")[1] if v is not None]
            if values and np.isfinite(values).all():
                found.append((name, float(np.median(values))))
        return found

    def profile(self) -> dict[str, float]:
        """Of each matrix that got gradients: the median of their sizes."""
        finite = {name: g[np.isfinite(g)] for name, g in self.gradients.items()}
        return {name: float(np.median(g)) for name, g in finite.items() if len(g)}


def first_bad(watch: Watch) -> str | None:
    """The first layer with an infinite or NaN output, and the step."""
    for row in watch.records:
        if "layer" in row and row["mean"] is not None and not math.isfinite(row["mean"]):
            return f"{row['layer']} ({row['kind']}) at step {row['step']}"
    return None


def exploding(inside: Inside) -> Iterator[Finding]:
    """Gradients grow from layer to layer going back or from step to step, or outputs going on."""
    signs = []
    names, profile = list(inside.profile()), list(inside.profile().values())
    if len(profile) > 2 and profile[0] > MANY * profile[-1] > 0:
        signs.append(
            f"the gradient's entries are {profile[0]:.2g} in {names[0]} and {profile[-1]:.2g} in "
            f"{names[-1]}"
        )
    deviations = inside.deviations()
    if len(deviations) > 2 and deviations[-1][1] > MANY * max(deviations[0][1], FEW):
        (first, low), (last, high) = deviations[0], deviations[-1]
        signs.append(f"outputs deviate by {low:.2g} in {first} and by {high:.2g} in {last}")
    for name, sizes in inside.gradients.items():
        known = sizes[~np.isnan(sizes)]
        if len(known) and (known.max() > MANY * max(float(known[0]), 1e-3)):
            signs.append(f"the gradient's entries of {name} grew from {known[0]:.2g} to "
                         f"{known.max():.2g}")  # fmt: skip
            break
    if signs:
        yield Finding(
            "exploding gradients",
            "; ".join(signs),
            "weights that lengthen what passes them, over many layers or steps of a sequence",
            "clip_norm=1.0; nn.init.apply(model) for smaller weights; normalisation layers; a "
            "smaller learning rate",
        )


def vanishing(inside: Inside) -> Iterator[Finding]:
    """Gradients shrink from layer to layer going back."""
    profile = inside.profile()
    if len(profile) < 3:
        return
    name, small = next(iter(profile.items()))
    other, large = max(profile.items(), key=lambda entry: entry[1])
    if 0 < small < FEW * large:
        yield Finding(
            "vanishing gradients",
            f"the gradient's entries are {small:.2g} in {name} and {large:.2g} in {other}",
            "small weights, or sigmoids, whose derivative is at most 1/4, in many layers",
            "ReLU or its relatives, nn.init.apply(model), normalisation layers, nn.Residual",
        )


def dead(inside: Inside) -> Iterator[Finding]:
    """Half of the units of a layer are zero for every sample."""
    watch = inside.watch
    shares = {name: watch.never_active(name) for name in watch.layers[1:]}
    rows = {name: watch.never_active(name) for name in inside.matrices[:-1]}
    found = {name: share for name, share in shares.items() if share is not None and share >= 0.5}
    what = "of the units are zero for all samples"
    if not found:
        found = {name: share for name, share in rows.items() if share is not None and share >= 0.5}
        what = "of the units get no gradient"
    if found:
        yield Finding(
            "dead units",
            ", ".join(f"{name}: {share:.0%}" for name, share in found.items()) + " " + what,
            "steps, or biases, that took the units below zero for every sample, where ReLU has "
            "derivative 0",
            "a smaller learning rate, nn.LeakyReLU or nn.ELU, biases that begin at 0; dead ones "
            "need new weights",
        )


def saturated(inside: Inside, learned: bool) -> Iterator[Finding]:
    """Half of a hidden layer's outputs lie where the derivative is small, from the beginning.

    Late in a training that has `learned`, being sure is no fault; nor is it behind the last layer.
    """
    watch = inside.watch
    found = {}
    for name in watch.layers[1:-1]:
        values: list[Any] = [v for v in watch.series(name, "saturated")[1] if v is not None]
        if values:
            early, late = float(np.median(values[:3])), float(np.median(values[-3:]))
            if (share := early if learned else max(early, late)) > 0.5:
                found[name] = share
    if found:
        yield Finding(
            "saturated units",
            ", ".join(f"{name}: {share:.0%}" for name, share in found.items())
            + " of the outputs are where the derivative is below a tenth of its largest",
            "weights, inputs or steps that are too large for a sigmoid or tanh",
            "inputs of unit deviation, nn.init.apply(model), normalisation layers, ReLU instead",
        )
