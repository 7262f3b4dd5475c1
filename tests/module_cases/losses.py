import numpy as np

from .record import ModuleCase, normal

REDUCTIONS = ["sum", "none"]


def held(nn, values):
    """Weights as both libraries take them: PyTorch wants a tensor."""
    if nn.__name__.startswith("torch"):
        import torch

        return torch.tensor(values)
    return values


def classes(n, c, *more):
    """Scores with the classes on axis 1, and integer classes."""
    return lambda rng: (rng.normal(size=(n, c, *more)), rng.integers(0, c, size=(n, *more)))


def one_sample(c):
    return lambda rng: (rng.normal(size=c), rng.integers(0, c))


def with_ignored(n, c, ignored=-100):
    def draw(rng):
        target = rng.integers(0, c, size=n)
        target[::2] = ignored
        target[1] = 1
        return rng.normal(size=(n, c)), target

    return draw


def distributions(*shape, axis=1):
    """Scores, and probabilities along an axis."""

    def draw(rng):
        p = rng.uniform(0.1, 1, size=shape)
        return rng.normal(size=shape), p / p.sum(axis=axis, keepdims=True)

    return draw


def logarithms(*shape):
    return lambda rng: (rng.normal(size=shape), np.log(rng.uniform(0.1, 1, size=shape)))


def between(low, high, *shapes):
    """Uniform numbers, well inside an interval."""
    return lambda rng: tuple(rng.uniform(low, high, size=shape) for shape in shapes)


def logits_and_labels(*shape):
    return lambda rng: (rng.normal(size=shape) * 3, rng.uniform(0.1, 0.9, size=shape))


def apart(*shape, kinks=(0.0,)):
    """Two arrays whose difference is away from kinks."""

    def draw(rng):
        a, d = rng.normal(size=shape), rng.normal(size=shape) * 2
        for kink in kinks:
            near = np.abs(d - kink) < 0.1
            d[near] = kink + 0.2
        return a, a - d

    return draw


def distances(*shape):
    """Away from 1, the margin, and from 0.4."""

    def draw(rng):
        return rng.choice([0.1, 0.7, 1.6], size=shape), rng.choice([-1, 1], size=shape)

    return draw


def pairs(n, d):
    def draw(rng):
        x = rng.normal(size=(2, n, d))
        return x[0], x[1], np.resize([1, -1], n)

    return draw


def variances(shape, var):
    return lambda rng: (*normal(shape, shape)(rng), rng.uniform(0.3, 2, size=var))


CASES = [
    ModuleCase(lambda nn: nn.CrossEntropyLoss(), classes(4, 3)),
    *(
        ModuleCase(lambda nn, r=r: nn.CrossEntropyLoss(reduction=r), classes(4, 3))
        for r in REDUCTIONS
    ),
    ModuleCase(lambda nn: nn.CrossEntropyLoss(), one_sample(3)),
    ModuleCase(lambda nn: nn.CrossEntropyLoss(), classes(2, 3, 4)),
    ModuleCase(lambda nn: nn.CrossEntropyLoss(reduction="none"), classes(2, 3, 2, 2)),
    *(
        ModuleCase(
            lambda nn, r=r: nn.CrossEntropyLoss(
                held(nn, [0.5, 2.0, 1.0]), ignore_index=0, reduction=r, label_smoothing=0.2
            ),
            draw,
        )
        for r in ["mean", *REDUCTIONS]
        for draw in (with_ignored(5, 3, ignored=0), classes(3, 3, 2))
    ),
    ModuleCase(lambda nn: nn.CrossEntropyLoss(), with_ignored(5, 3)),
    ModuleCase(lambda nn: nn.CrossEntropyLoss(label_smoothing=0.1), classes(4, 3)),
    ModuleCase(lambda nn: nn.CrossEntropyLoss(), distributions(4, 3)),
    *(
        ModuleCase(
            lambda nn, r=r: nn.CrossEntropyLoss(
                held(nn, [0.5, 2.0, 1.0]), reduction=r, label_smoothing=0.2
            ),
            distributions(2, 3, 4),
        )
        for r in ["mean", *REDUCTIONS]
    ),
    ModuleCase(lambda nn: nn.CrossEntropyLoss(), distributions(3, axis=0)),
    ModuleCase(lambda nn: nn.NLLLoss(), classes(4, 3)),
    ModuleCase(lambda nn: nn.NLLLoss(), one_sample(3)),
    *(
        ModuleCase(
            lambda nn, r=r: nn.NLLLoss(held(nn, [0.5, 2.0, 1.0]), ignore_index=0, reduction=r), draw
        )
        for r in ["mean", *REDUCTIONS]
        for draw in (with_ignored(5, 3, ignored=0), classes(3, 3, 2, 2))
    ),
    ModuleCase(lambda nn: nn.NLLLoss(), with_ignored(5, 3)),
    ModuleCase(lambda nn: nn.MSELoss(), normal((4, 3), (4, 3))),
    ModuleCase(lambda nn: nn.MSELoss(reduction="sum"), normal((4, 3), (4, 3))),
    ModuleCase(lambda nn: nn.MSELoss(reduction="none"), normal((4,), (4,))),
    ModuleCase(lambda nn: nn.L1Loss(), apart(4, 3)),
    ModuleCase(lambda nn: nn.L1Loss(reduction="none"), apart(4)),
    ModuleCase(lambda nn: nn.SmoothL1Loss(), apart(4, 3, kinks=(-1, 1))),
    ModuleCase(
        lambda nn: nn.SmoothL1Loss(reduction="sum", beta=0.5), apart(4, 3, kinks=(-0.5, 0.5))
    ),
    ModuleCase(lambda nn: nn.SmoothL1Loss(beta=0.0), apart(4, 3)),
    ModuleCase(lambda nn: nn.HuberLoss(), apart(4, 3, kinks=(-1, 1))),
    ModuleCase(
        lambda nn: nn.HuberLoss(reduction="none", delta=0.5), apart(4, 3, kinks=(-0.5, 0.5))
    ),
    ModuleCase(lambda nn: nn.BCELoss(), between(0.1, 0.9, (4, 3), (4, 3))),
    ModuleCase(
        lambda nn: nn.BCELoss(held(nn, [0.5, 2.0, 1.0]), reduction="sum"),
        between(0.1, 0.9, (4, 3), (4, 3)),
    ),
    ModuleCase(lambda nn: nn.BCELoss(reduction="none"), between(0.1, 0.9, (4,), (4,))),
    ModuleCase(lambda nn: nn.BCEWithLogitsLoss(), logits_and_labels(4, 3)),
    ModuleCase(lambda nn: nn.BCEWithLogitsLoss(reduction="sum"), logits_and_labels(4, 3)),
    *(
        ModuleCase(
            lambda nn, r=r: nn.BCEWithLogitsLoss(
                held(nn, [0.5, 2.0, 1.0]), reduction=r, pos_weight=held(nn, [3.0, 0.5, 1.0])
            ),
            logits_and_labels(4, 3),
        )
        for r in ["mean", *REDUCTIONS]
    ),
    ModuleCase(lambda nn: nn.KLDivLoss(), distributions(4, 3), oracle=False),  # PyTorch warns
    ModuleCase(lambda nn: nn.KLDivLoss(reduction="batchmean"), distributions(4, 3)),
    ModuleCase(lambda nn: nn.KLDivLoss(reduction="none"), distributions(4, 3)),
    ModuleCase(lambda nn: nn.KLDivLoss(reduction="batchmean", log_target=True), logarithms(4, 3)),
    ModuleCase(lambda nn: nn.KLDivLoss(reduction="sum", log_target=True), logarithms(4, 3)),
    ModuleCase(lambda nn: nn.MultiMarginLoss(), classes(4, 3)),
    ModuleCase(lambda nn: nn.MultiMarginLoss(), one_sample(3)),
    *(
        ModuleCase(
            lambda nn, r=r: nn.MultiMarginLoss(
                p=2, margin=0.7, weight=held(nn, [0.5, 2.0, 1.0]), reduction=r
            ),
            classes(4, 3),
        )
        for r in ["mean", *REDUCTIONS]
    ),
    ModuleCase(lambda nn: nn.MultiClassHingeLoss(), classes(4, 3), oracle=False),
    ModuleCase(lambda nn: nn.MultiClassHingeLoss(0.5, "none"), classes(4, 3), oracle=False),
    ModuleCase(lambda nn: nn.HingeEmbeddingLoss(), distances(4, 3)),
    ModuleCase(lambda nn: nn.HingeEmbeddingLoss(0.4, reduction="sum"), distances(4)),
    ModuleCase(lambda nn: nn.CosineEmbeddingLoss(), pairs(4, 3)),
    ModuleCase(lambda nn: nn.CosineEmbeddingLoss(-0.5, reduction="none"), pairs(4, 3)),
    ModuleCase(lambda nn: nn.TripletMarginLoss(), normal((4, 3), (4, 3), (4, 3))),
    ModuleCase(lambda nn: nn.TripletMarginLoss(reduction="sum"), normal((3,), (3,), (3,))),
    ModuleCase(
        lambda nn: nn.TripletMarginLoss(0.5, p=3.0, eps=1e-3, swap=True, reduction="none"),
        normal((4, 3), (4, 3), (4, 3)),
    ),
    ModuleCase(lambda nn: nn.GaussianNLLLoss(), variances((4, 3), (4, 3))),
    ModuleCase(lambda nn: nn.GaussianNLLLoss(full=True, reduction="sum"), variances((4, 3), (4,))),
    ModuleCase(lambda nn: nn.GaussianNLLLoss(eps=0.1, reduction="none"), variances((4, 3), (4, 1))),
]
