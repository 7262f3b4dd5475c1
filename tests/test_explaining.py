"""`tg.inspect.explain`: the numbers are those of `backward()`, and the walk follows the keys."""

import io
import os
import re
import threading
import time

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine.record import TABLE
from tinygrad_cs.inspect.graph.rules import rule_text


def scalar_loss():
    w, x, b = tg.Scalar(0.7), tg.Scalar(-1.3), tg.Scalar(0.2)
    h = tg.tanh(w * x + b)
    return {"w": w, "x": x, "b": b}, (h - 0.5) ** 2 + w * w / tg.exp(x)


def test_scalars_get_the_numbers_of_backward():
    leaves, loss = scalar_loss()
    explanation = tg.inspect.explain(loss, names=leaves)
    assert all(leaf.grad is None for leaf in leaves.values())
    loss.backward()
    assert explanation.gradients == {name: leaf.grad for name, leaf in leaves.items()}


def test_products_sums_and_order():
    leaves, loss = scalar_loss()
    explanation = tg.inspect.explain(loss, names=leaves)
    assert [step.number for step in explanation] == list(range(1, len(explanation) + 1))
    sums: dict[str, float] = {}
    done = set()
    for step in explanation:
        assert step.upstream == (sums[step.name] if step.number > 1 else 1.0)
        done.add(step.name)
        for sent in step.sent:
            assert sent.to not in done
            assert sent.product == pytest.approx(step.upstream * sent.local, rel=1e-14)
            sums[sent.to] = sums.get(sent.to, 0.0) + sent.product
            assert sent.total == sums[sent.to]
    assert {name: sums[name] for name in leaves} == explanation.gradients


def test_the_last_arrival_completes_a_sum():
    x = tg.Scalar(3.0)
    (step,) = tg.inspect.explain(x * x, names={"x": x})
    assert [sent.complete for sent in step.sent] == [False, True]
    assert [sent.total for sent in step.sent] == [3.0, 6.0]
    assert step.formula == "v1 = x * x"


@pytest.mark.parametrize(
    "kind", [nn.Tanh, nn.ReLU, lambda: nn.Softmax(-1), lambda: nn.LayerNorm(4)]
)
def test_tensors_get_the_numbers_of_backward(kind):
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), kind(), nn.Linear(4, 2))
    x = np.linspace(-1, 1, 15, dtype="float32").reshape(5, 3)
    loss = nn.CrossEntropyLoss()(net(x), np.array([0, 1, 0, 1, 1]))
    explanation = tg.inspect.explain(loss, model=net)
    assert all(p.grad is None for p in net.parameters())
    loss.backward()
    assert set(explanation.gradients) == {name for name, _ in net.named_parameters()}
    for name, parameter in net.named_parameters():
        np.testing.assert_array_equal(explanation.gradients[name], parameter.grad)
    linear = next(step for step in explanation if step.operation == "linear")
    assert linear.sent[0].rule == "g @ weight"
    assert "to 2.bias: g = " in str(explanation)
    assert "5 × 4" in str(explanation)


def test_dead_positions_and_infinite_slopes_as_in_backward():
    x = tg.tensor([0.0, 4.0], requires_grad=True)
    loss = tg.where(x.data > 0, tg.sqrt(x), 0.0).sum()
    explanation = tg.inspect.explain(loss, names={"x": x})
    loss.backward()
    np.testing.assert_array_equal(explanation.gradients["x"], [0.0, 0.25])
    np.testing.assert_array_equal(x.grad, [0.0, 0.25])
    s = tg.Scalar(0.0)
    root = tg.sqrt(s)
    assert tg.inspect.explain(root, names={"s": s}).gradients["s"] == np.inf
    root.backward()
    assert s.grad == np.inf


def test_hooks_are_shown_and_retained_gradients_not_written():
    x = tg.Scalar(3.0)
    y = x * 2.0
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    loss = y * 1.0
    explanation = tg.inspect.explain(loss, names={"x": x, "y": y})
    assert y.grad is None
    step = explanation[1]
    assert (step.before_hooks, step.upstream) == (1.0, 10.0)
    assert "a hook made it of 1" in str(step)
    loss.backward()
    assert explanation.gradients["x"] == x.grad == 20.0 and y.grad == 10.0


def test_hooks_of_leaves():
    x = tg.tensor([3.0], requires_grad=True)
    x.register_hook(lambda g: g * 10)
    loss = (x * 2).sum()
    explanation = tg.inspect.explain(loss, names={"x": x})
    loss.backward()
    np.testing.assert_array_equal(explanation.gradients["x"], x.grad)


def test_mixed_graphs_and_lists_of_operands():
    s, t = tg.Scalar(2.0), tg.Scalar(5.0)
    loss = (tg.stack([s, t, s]) * np.array([1.0, 2.0, 3.0])).sum()
    explanation = tg.inspect.explain(loss, names={"s": s, "t": t})
    loss.backward()
    assert explanation.gradients == {"s": s.grad, "t": t.grad} == {"s": 4.0, "t": 2.0}
    operands = [sent.operand for step in explanation for sent in step.sent]
    assert {"arrays[0]", "arrays[1]", "arrays[2]"} <= set(operands)


def test_a_gradient_to_start_from():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    explanation = tg.inspect.explain(x * 3, gradient=[1.0, 10.0], names={"x": x})
    np.testing.assert_array_equal(explanation.gradients["x"], [3.0, 30.0])
    with pytest.raises(tg.TinygradError, match=r"^explain: .*needs a gradient of that shape"):
        tg.inspect.explain(x * 3)


def test_freed_graphs_and_values_without_one():
    _, loss = scalar_loss()
    loss.backward()
    with pytest.raises(tg.TinygradError, match=r"^explain: .*retain_graph=True"):
        tg.inspect.explain(loss)
    with pytest.raises(tg.TinygradError, match="has no graph"):
        tg.inspect.explain(loss.detach())


def test_changed_values_are_refused():
    leaves, loss = scalar_loss()
    leaves["w"].data = 1.0
    with pytest.raises(tg.TinygradError, match=r"^explain: .*changed it in place"):
        tg.inspect.explain(loss)


def test_explaining_names_as_drawing_does():
    leaves, loss = scalar_loss()
    explained = {step.name: step.operation for step in tg.inspect.explain(loss, names=leaves)}
    table = str(tg.inspect.draw(loss, names=leaves))
    for name, operation in explained.items():
        assert any(line.split()[:2] == [name, operation] for line in table.splitlines())


def test_it_is_a_sequence_and_a_table_in_notebooks():
    leaves, loss = scalar_loss()
    explanation = tg.inspect.explain(loss, names={"<b>": leaves["w"]})
    assert len(explanation) == len(list(explanation)) == len(explanation.steps)
    assert explanation[0].number == 1 and explanation[-1] is explanation.steps[-1]
    assert explanation[1:3] == explanation.steps[1:3]
    html = explanation._repr_html_()
    assert "&lt;b&gt;" in html and "<b>" not in html
    assert html.count("<tr>") == 1 + sum(len(step.sent) for step in explanation)


def shown(keys):
    _, loss = scalar_loss()
    out = io.StringIO()
    tg.inspect.explain(loss).walk(keys=keys, out=out)
    lines = out.getvalue().splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith("step ")]


def test_walking_by_keys():
    _, loss = scalar_loss()
    last = len(tg.inspect.explain(loss))
    assert shown("q") == [1]
    assert shown("nnbq") == [1, 2, 3, 2]
    assert shown(["right", " ", "left", "left", "left", "q"]) == [1, 2, 3, 2, 1, 1]
    assert shown(["end", "right", "home", "\x1b", "n"]) == [1, last, last, 1]
    assert shown("?!n") == [1, 2]  # other keys do nothing; the end of the input stops


def test_walking_without_a_terminal_prints_everything(monkeypatch):
    leaves, loss = scalar_loss()
    explanation = tg.inspect.explain(loss, names=leaves)
    monkeypatch.setattr("sys.stdin", io.StringIO("nnn"))
    out = io.StringIO()
    explanation.walk(out=out)
    assert out.getvalue() == f"{explanation}\n"


def test_walking_in_a_terminal(monkeypatch):
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    leader, follower = pty.openpty()
    before = termios.tcgetattr(follower)
    leaves, loss = scalar_loss()

    def type_keys():
        # one after the other, as they are typed: each is read in one piece
        for key in (b"\x1b[C", b"\x1b[D", b"q"):
            time.sleep(0.1)
            os.write(leader, key)

    typing = threading.Thread(target=type_keys)
    with (
        open(follower, "w", encoding="utf-8", closefd=False) as out,
        open(follower, encoding="utf-8", closefd=False) as keyboard,
    ):
        monkeypatch.setattr("sys.stdin", keyboard)
        typing.start()
        tg.inspect.explain(loss, names=leaves).walk(out=out)
        typing.join()
    assert termios.tcgetattr(follower) == before
    text = os.read(leader, 100_000).decode()
    os.close(leader)
    os.close(follower)
    assert re.findall(r"step (\d+) of", text) == ["1", "2", "1"]


def test_a_deep_graph_is_no_recursion():
    x = tg.Scalar(1.0)
    y = x
    for _ in range(10_000):
        y = y * 1.0001
    explanation = tg.inspect.explain(y, names={"x": x})
    y.backward()
    assert len(explanation) == 10_000 and explanation.gradients["x"] == x.grad


def test_every_rule_has_a_text():
    for op in TABLE.values():
        for operand in op.rules:
            text = rule_text(op, operand)
            assert text and "lambda" not in text and text.count("(") == text.count(")"), op
