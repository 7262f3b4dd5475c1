"""Teach a small network to read handwritten digits, with gradients that are checked first.

The 1,797 digits come with scikit-learn, so nothing is downloaded. Training takes seconds; the
pictures and the weights land in `runs/digits`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

try:
    import numpy as np
    import sklearn  # noqa: F401 - it holds the digits: better missed now than later
    from style import BLUE, ORANGE, figure, gallery
    from tqdm import tqdm

    import tinygrad_cs as tg
    from tinygrad_cs import data, nn, optim
except ImportError as error:
    sys.exit(f'This demo needs {error.name}; in the project\'s folder run: pip install ".[demos]"')

BATCH_SIZE, LEARNING_RATE, NOISE = 32, 6e-3, 0.5
cross_entropy = nn.CrossEntropyLoss()


def main(argv: list[str] | None = None) -> None:
    options = parse(argv)
    random = tg.manual_seed(options.seed)

    # Mean and deviation come from the training part alone, as all that is learned.
    parts = data.load_digits()
    parts = data.train_validation_test_split(*parts, seed=options.seed, stratify=parts[1])
    scaler = data.Standardizer(axis=None).fit(parts[0][0])
    training, validation, test = (data.TensorDataset(scaler.transform(x), y) for x, y in parts)
    print(f"{len(training)} digits to train, {len(validation)} to validate, {len(test)} to test")

    model = build(options.hidden)
    print(model)
    images, labels = training[:8]
    print(tg.autograd.gradcheck(lambda x: cross_entropy(model(x), labels), images, module=model))

    history = train(model, training, validation, options.epochs, random)
    draw_curves(history, options.out / "curves.png")
    _, accuracy, probabilities = evaluate(model, test)
    draw_mistakes(*parts[2], probabilities, options.out / "mistakes.png")

    # What counts is whether the saved weights can read, so they go into a new model.
    np.savez(options.out / "weights.npz", **model.state_dict())
    restored = build(options.hidden)
    with np.load(options.out / "weights.npz") as weights:
        restored.load_state_dict(dict(weights))
    print(f"pictures and weights are in {options.out}")
    print(f"test accuracy of a new model with the saved weights: {evaluate(restored, test)[1]:.4f}")
    print(f"test accuracy: {accuracy:.4f}")
    if options.show:
        from lesson import show

        show(options.out / "mistakes.png")


def build(hidden: list[int]) -> nn.Sequential:
    """64 pixels, a layer of ReLUs for every width in `hidden`, 10 digits."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip([64, *hidden], hidden, strict=False):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(hidden[-1], 10))


def train(model, training, validation, epochs, random):
    """Minimise the cross-entropy; returns a row for each epoch: two losses and the accuracy."""
    loader = data.DataLoader(training, BATCH_SIZE, shuffle=True)
    optimizer = optim.Adam(model.parameters(), lr=LEARNING_RATE)
    history = []
    terminal = sys.stdout.isatty() and sys.stderr.isatty()
    with tqdm(total=epochs, unit="epoch", disable=not terminal) as bar:
        for epoch in range(epochs):
            # Smaller and smaller steps, so that the noise of the last ones averages out.
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - epoch / epochs)
            losses = []
            model.train()
            for x, y in loader:
                # Fresh noise each time, so that no single pixel can be learned by heart.
                x += NOISE * random.standard_normal(x.shape, x.dtype)
                optimizer.zero_grad()
                loss = cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            validation_loss, accuracy, _ = evaluate(model, validation)
            history.append((np.mean(losses), validation_loss, accuracy))
            line = f"loss {history[-1][0]:.4f}, validation accuracy {accuracy:.4f}"
            bar.set_postfix_str(line, refresh=False)
            bar.update()
            if not terminal:
                print(f"epoch {epoch + 1:{len(str(epochs))}}/{epochs}: {line}", flush=True)
    return np.array(history)


@tg.no_grad()
def evaluate(model, dataset):
    """The loss, the share read correctly, and the probabilities (n, 10) of the digits."""
    images, labels = dataset.arrays
    model.eval()
    logits = model(images)
    probabilities = nn.functional.softmax(logits, dim=1).numpy()
    accuracy = np.mean(probabilities.argmax(axis=1) == labels)
    return cross_entropy(logits, labels).item(), accuracy, probabilities


def draw_curves(history, path):
    epochs = np.arange(1, len(history) + 1)
    picture, ((left, right),) = figure(10, 4, columns=2)
    left.plot(epochs, history[:, 0], ".-", color=BLUE, label="training, with noise")
    left.plot(epochs, history[:, 1], ".--", color=ORANGE, label="validation")
    left.set(title="Loss", xlabel="epoch", ylabel="cross-entropy", yscale="log")
    left.legend()
    right.plot(epochs, history[:, 2], ".--", color=ORANGE)
    right.set(title="Validation accuracy", xlabel="epoch", ylabel="share read correctly")
    picture.savefig(path)


def draw_mistakes(images, labels, probabilities, path):
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = answers == labels
    # Misread digits first; where they leave room, those that were nearly misread.
    hardest = np.lexsort([probabilities[np.arange(len(labels)), labels], right])[:12]
    picture = gallery(
        images[hardest].reshape(-1, 8, 8),
        titles=[f"{labels[i]}, read as {answers[i]}" for i in hardest],
        captions=[f"{sure[i]:.0%} sure" for i in hardest],
        colours=[BLUE if right[i] else ORANGE for i in hardest],
    )
    picture.suptitle(f"The hardest test digits: {sum(~right)} of {len(right)} misread (orange)")
    picture.savefig(path)


def whole(text: str, minimum: int = 1) -> int:
    if text.isdecimal() and int(text) >= minimum:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number >= {minimum}, got {text!r}")


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    natural = partial(whole, minimum=0)
    add("--seed", type=natural, default=0, help="decides split, weights and noise (0)")
    add("--epochs", type=whole, help="times every digit is seen (60; with --quick 5)")
    add("--hidden", type=whole, nargs="+", default=[128], help="width of each layer (128)")
    add("--out", type=Path, default=Path("runs/digits"), help="folder to write (runs/digits)")
    add("--quick", action="store_true", help="few epochs")
    add("--show", action="store_true", help="open the hardest digits in a window, too")
    options = parser.parse_args(argv)
    options.epochs = options.epochs or (5 if options.quick else 60)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        # A folder can exist and still be closed to us: better known before training.
        tempfile.TemporaryFile(dir=options.out).close()
    except OSError as error:
        parser.exit(2, f"Cannot write to {options.out}: {error.strerror}; choose another --out.\n")
    return options


if __name__ == "__main__":
    main()
