"""A recurrent net that writes, one character after the other: how much of a text can it foresee?

Claim (after Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks", 2015): an
LSTM that learns to guess the next character learns spelling, words and the beginnings of grammar.
It is trained by truncated backpropagation: pieces of 48 characters, where the state goes on into
the next piece and the gradient does not go back into the last one; long gradients are clipped.

Measured on what `help()` of Python explains (`pydoc_data.topics`; the numbers are those of Python
3.11), on 20,000 characters after the 200,000 it is trained on. An untrained net needs 5.6 bits for
a character: log2 of the 49 there are. Trained for six epochs it needs 1.8, less than counting
which character follows two or three others (2.7 and 2.0). But counting what follows five is better
still (1.7): a text of manuals repeats itself, and a table of all it has seen is hard to beat with
so little to read. The net writes words, some of them new, and no sentences. Gradients hardly ever
have to be clipped: an LSTM's do not explode here.
"""

from __future__ import annotations

from functools import cache
from pydoc_data.topics import topics
from typing import Any

import lesson
import numpy as np
from counting import by_counting
from matplotlib.figure import Figure
from style import ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import nn

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789 .,:;()'\"=_*-"
ORDERS = (0, 1, 2, 3, 5)
STREAMS, PIECE, RATE = 32, 48, 8e-3


@cache
def text(quick: bool) -> tuple[Any, Any]:
    """Characters as numbers, to train on and to test on: what `help()` of Python explains."""
    words = " ".join(topics[name] for name in sorted(topics)).lower().split()
    codes = np.array([ALPHABET.index(c) for c in " ".join(words) if c in ALPHABET])
    size = 60_000 if quick else 200_000
    return codes[:size], codes[size : size + (5_000 if quick else 20_000)]


class Writer(nn.Module):
    """What comes next, from the characters (L, N) so far, as logits (L, N, alphabet)."""

    def __init__(self, hidden: int) -> None:
        self.embedding = nn.Embedding(len(ALPHABET), 32)
        self.lstm = nn.LSTM(32, hidden)
        self.head = nn.Linear(hidden, len(ALPHABET))

    def forward(self, characters: Any, state: Any) -> tuple[Any, Any]:
        outputs, state = self.lstm(self.embedding(characters), state)
        return self.head(outputs), state

    def start(self, streams: int) -> tuple[Any, Any]:
        """The state before the first character."""
        zeros = np.zeros((1, streams, self.lstm.hidden_size), "float32")
        return zeros, zeros

    @tg.no_grad()
    def bits(self, characters: Any) -> float:
        """What it takes to tell somebody who has this net the next character."""
        logits, _ = self(characters[:-1, None], self.start(1))
        return nn.functional.cross_entropy(logits[:, 0], characters[1:]).item() / np.log(2)

    @tg.no_grad()
    def write(self, length: int, random: np.random.Generator) -> str:
        """Each next character is drawn with the probability that the net gives it."""
        state, written = self.start(1), [ALPHABET.index(" ")]
        for _ in range(length):
            logits, state = self(np.array([[written[-1]]]), state)
            p = nn.functional.softmax(logits[0, 0], dim=0).numpy().astype(float)
            written.append(int(random.choice(len(ALPHABET), p=p / p.sum())))
        return "".join(ALPHABET[code] for code in written[1:])


@cache
def train(quick: bool, seed: int) -> tuple[Any, Any, float, str, str]:
    """Bits of each piece, bits of the test text after each epoch, how many pieces were clipped,
    and what the net wrote before and after.
    """
    random = tg.manual_seed(seed)
    net = Writer(128)
    epochs = 4 if quick else 6
    training, test = text(quick)
    streams = training[: training.size // STREAMS * STREAMS].reshape(STREAMS, -1).T
    starts = range(0, len(streams) - PIECE, PIECE)
    optimizer = tg.optim.Adam(net.parameters(), lr=RATE)
    schedule = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(starts))

    @tg.compile
    def gradients(x: Any, y: Any, state: Any) -> Any:
        optimizer.zero_grad()
        logits, state = net(x, state)
        loss = nn.functional.cross_entropy(logits.reshape((-1, len(ALPHABET))), y)
        loss.backward()
        return loss, state

    bits, test_bits, clipped = [], [net.bits(test)], 0
    first = net.write(160, random)
    for _ in range(epochs):
        state = net.start(STREAMS)
        for i in starts:
            following = streams[i + 1 : i + PIECE + 1].ravel()
            loss, state = gradients(streams[i : i + PIECE], following, state)
            # Here backpropagation is truncated: numbers have no history.
            state = tuple(part.numpy() for part in state)
            clipped += nn.utils.clip_grad_norm_(net.parameters(), 0.5) > 0.5
            optimizer.step()
            schedule.step()
            bits.append(loss.item() / np.log(2))
        test_bits.append(net.bits(test))
    return np.array(bits), np.array(test_bits), clipped / len(bits), first, net.write(160, random)


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Bits per character of the test text: counting, the net before training, and after."""
    found = {
        f"bits, counting after {k} characters": by_counting(*text(quick), len(ALPHABET), k)
        for k in ORDERS
    }
    bits, test_bits, clipped, first, last = train(quick, seed)
    print(f'  The net before training writes: "{first}"\n  and afterwards: "{last}"\n')
    return found | {
        "bits, the net before training": float(test_bits[0]),
        "bits, the net after training": float(test_bits[-1]),
        "bits, the net after training, of what it trained on": float(
            bits[-len(bits) // 10 :].mean()
        ),
        "share of pieces with clipped gradients": float(clipped),
    }


def draw(quick: bool, seed: int) -> Figure:
    """How the bits fall, and what the net writes."""
    bits, test_bits, _, first, last = train(quick, seed)
    picture, ((cell,),) = figure(10, 5.5)
    cell.plot(bits, lw=0.8, label="the piece just read")
    pieces = np.linspace(0, len(bits), len(test_bits))
    cell.plot(pieces, test_bits, "o-", color=ORANGE, label="text it has never seen")
    for order in ORDERS:
        height = by_counting(*text(quick), len(ALPHABET), order)
        cell.axhline(height, color="0.5", lw=1, ls="--")
        where = cell.get_yaxis_transform()
        cell.text(1.01, height, f"counting, order {order}", va="center", size=9, transform=where)
    cell.set(xlabel="pieces read", ylabel="bits per character", ylim=(0, None))
    cell.legend(loc="lower left")
    lines = [f"before: {first[:80]}", f"after: {last[:80]}", f"       {last[80:]}"]
    picture.supxlabel("\n".join(lines), family="monospace", size=9, x=0.02, ha="left")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("character_rnn", __doc__, finding, draw))
