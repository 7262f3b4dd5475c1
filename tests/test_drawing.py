"""`tg.inspect.draw`: what is drawn, that it is well-formed, and that large graphs come out too."""

import html
import re
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.inspect.layout import arrange

SVG = "{http://www.w3.org/2000/svg}"


def boxes_of(drawing):
    """Kind and texts of every box in the SVG."""
    root = ElementTree.fromstring(drawing.svg)
    groups = [g for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("box")]
    return [(g.get("class")[4:], [t.text for t in g.iter(f"{SVG}text")]) for g in groups]


def titles_of(drawing):
    root = ElementTree.fromstring(drawing.svg)
    return [g.find(f"{SVG}title").text for g in root.iter(f"{SVG}g")]


def rows_of(drawing):
    """The table by name."""
    lines = str(drawing).splitlines()[1:]
    return {line.split("  ")[0]: line for line in lines}


def scalar_graph():
    a, b = tg.Scalar(2.0), tg.Scalar(-3.0)
    product = a * b
    return a, b, product, product + a


def small_net():
    tg.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


class Block(nn.Module):
    def __init__(self):
        self.inner = nn.Linear(4, 4)
        self.act = nn.ReLU()

    def forward(self, x):
        return x + self.act(self.inner(x))


X = np.linspace(-1, 1, 15, dtype="float32").reshape(5, 3)
Y = np.array([0, 1, 0, 1, 1])


def test_every_value_is_one_box_with_value_and_gradient():
    a, b, product, total = scalar_graph()
    drawing = tg.inspect.draw(total, names={"a": a, "b": b, "product": product})
    assert boxes_of(drawing) == [
        ("input", ["a", "2", "grad -2"]),
        ("input", ["b", "-3", "grad 2"]),
        ("operation", ["product", "multiply", "-6", "grad 1"]),
        ("operation", ["v1", "add", "-4", "grad 1"]),
    ]
    assert len(drawing) == 4


def test_drawing_changes_nothing():
    a, b, _, total = scalar_graph()
    total.retain_grad()
    _ = tg.inspect.draw(total).svg
    assert a.grad is None and b.grad is None and total.grad is None
    total.backward()
    assert (a.grad, b.grad, total.grad) == (-2.0, 2.0, 1.0)


def test_gradients_drawn_are_those_of_backward_also_after_it():
    *_, total = scalar_graph()
    before = str(tg.inspect.draw(total))
    total.backward(retain_graph=True)
    assert str(tg.inspect.draw(total)) == before
    assert any(".grad holds -2" in title for title in titles_of(tg.inspect.draw(total)))


def test_a_freed_graph_says_what_to_do():
    *_, total = scalar_graph()
    total.backward()
    with pytest.raises(tg.TinygradError, match=r"^draw: .*retain_graph=True"):
        tg.inspect.draw(total)


def test_values_without_a_graph_are_refused():
    with pytest.raises(tg.TinygradError, match="has no graph"):
        tg.inspect.draw(tg.tensor([1.0]) * 2)
    with pytest.raises(tg.TinygradError, match="expected a tensor or a Scalar"):
        tg.inspect.draw("loss")


def test_a_changed_value_is_refused_unless_gradients_are_left_out():
    a, _, _, total = scalar_graph()
    a.data = 5.0
    with pytest.raises(tg.TinygradError, match=r"^draw: .*changed it in place"):
        tg.inspect.draw(total)
    assert len(tg.inspect.draw(total, gradients=False)) == 4


def test_parameters_have_their_dotted_path_and_data_its_name():
    net = small_net()
    loss = nn.CrossEntropyLoss()(net(X), Y)
    drawing = tg.inspect.draw(loss, model=net, names={"x": X})
    kinds = {texts[0]: kind for kind, texts in boxes_of(drawing)}
    assert {k for k, kind in kinds.items() if kind == "parameter"} == {
        "0.weight", "0.bias", "2.weight", "2.bias",
    }  # fmt: skip
    assert kinds["x"] == "constant"
    assert "5 × 3" in rows_of(drawing)["x"]


def test_a_frozen_parameter_keeps_its_name():
    net = small_net()
    net[0].requires_grad_(False)
    leaf = tg.tensor(X, requires_grad=True)
    drawing = tg.inspect.draw(net(leaf).sum(), model=net, names={"x": leaf})
    assert ("parameter", "0.weight") in {(kind, texts[0]) for kind, texts in boxes_of(drawing)}


def test_data_used_twice_is_drawn_once():
    w, v = tg.tensor(np.ones((3, 3)), requires_grad=True), tg.tensor(np.eye(3), requires_grad=True)
    data = np.ones((3, 3))
    drawing = tg.inspect.draw((data @ w + data @ v).sum())
    assert sum(kind == "constant" for kind, _ in boxes_of(drawing)) == 1


def test_an_operand_used_twice_has_two_arrows():
    x = tg.Scalar(3.0)
    drawing = tg.inspect.draw(x * x)
    assert len(re.findall(r"n0 -> n1", drawing.dot)) == 2
    assert drawing.svg.count('marker-end="url(#tip)"') == 2


def test_collapse_draws_layers():
    net = nn.Sequential(nn.Linear(3, 4), Block(), nn.Linear(4, 2))
    criterion = nn.CrossEntropyLoss()
    drawing = tg.inspect.draw(lambda x: criterion(net(x), Y), X, model=net, collapse=True)
    rows = rows_of(drawing)
    layers = {texts[1] for kind, texts in boxes_of(drawing) if kind == "layer"}
    assert layers == {"0", "1.inner", "1.act", "2"}
    assert "add" in str(drawing) and not any("weight" in name for name in rows)
    assert {"x"} <= set(rows)
    assert all("forward" not in vars(module) for module in net.modules())


@pytest.mark.parametrize(("depth", "names"), [(0, {"model"}), (1, {"0", "1", "2"})])
def test_depth_says_which_layers(depth, names):
    net = nn.Sequential(nn.Linear(3, 4), Block(), nn.Linear(4, 2))
    drawing = tg.inspect.draw(net, X, depth=depth)
    assert {texts[1] for kind, texts in boxes_of(drawing) if kind == "layer"} == names
    assert set(rows_of(drawing)) == {"x"} | names
    # arrows between two layers come once
    assert drawing.dot.count("->") == len(names)


def test_a_layer_called_twice_is_two_boxes():
    class Twice(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(self.layer(x))

    drawing = tg.inspect.draw(Twice(), X, collapse=True)
    assert [kind for kind, _ in boxes_of(drawing)].count("layer") == 2
    assert {"x", "layer", "layer.weight"} <= set(rows_of(drawing))


def test_calls_are_not_noted_any_longer_after_an_error():
    net = small_net()
    with pytest.raises(tg.TinygradError):
        tg.inspect.draw(net, np.ones((2, 7), "float32"))
    assert all("forward" not in vars(module) for module in net.modules())


def test_arguments_that_do_not_fit():
    net = small_net()
    loss = net(X).sum()
    with pytest.raises(tg.TinygradError, match="only seen while the model runs"):
        tg.inspect.draw(loss, model=net, collapse=True)
    with pytest.raises(tg.TinygradError, match=r"draw\(model, x\)"):
        tg.inspect.draw(net)
    with pytest.raises(tg.TinygradError, match="inputs are for a function"):
        tg.inspect.draw(loss, X)
    with pytest.raises(tg.TinygradError, match="direction"):
        tg.inspect.draw(loss, direction="up")
    with pytest.raises(tg.TinygradError, match="depth"):
        tg.inspect.draw(net, X, depth=-1)
    with pytest.raises(tg.TinygradError, match=r"model must be an nn\.Module"):
        tg.inspect.draw(loss, model="net")


HOSTILE = '<script>alert("&")</script>\\" ]; } \n \x00\ud800 \\N'


def test_hostile_names_are_text_in_svg_and_dot():
    x = tg.Scalar(1.0)
    drawing = tg.inspect.draw(tg.exp(x), names={HOSTILE: x})
    root = ElementTree.fromstring(drawing.svg)
    assert not list(root.iter(f"{SVG}script"))
    assert any('<script>alert("&")' in title for title in titles_of(drawing))
    labels = dot_strings(drawing.dot)
    assert any('<script>alert("&")</script>\\" ]; }' in label for label in labels)
    drawing.svg.encode()
    assert "\n\n" not in str(drawing) and len(str(drawing).splitlines()) == 3
    assert "<script>alert" not in drawing.html


def dot_strings(dot):
    """Every quoted string, read as DOT reads it; what is left must be plain words and signs."""
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', dot)
    rest = re.sub(r'"((?:[^"\\]|\\.)*)"', "S", dot)
    assert re.fullmatch(r"[\w\s{}\[\];=,.>\-]*", rest), rest
    assert rest.count("{") == rest.count("}") == 1
    return [re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], s) for s in strings]


def test_dot_has_every_box_and_arrow():
    *_, total = scalar_graph()
    dot = tg.inspect.draw(total, direction="down").dot
    dot_strings(dot)
    assert dot.startswith("digraph computation {\n  rankdir=TB;")
    assert len(re.findall(r"^  n\d+ \[", dot, re.MULTILINE)) == 4
    arrows = set(re.findall(r"n(\d) -> n(\d)", dot))
    assert arrows == {("0", "2"), ("1", "2"), ("2", "3"), ("0", "3")}


@pytest.mark.parametrize("ending", ["svg", "html", "dot", "gv"])
def test_saving(tmp_path, ending):
    *_, total = scalar_graph()
    drawing = tg.inspect.draw(total)
    path = drawing.save(tmp_path / f"graph.{ending}")
    content = path.read_text(encoding="utf-8")
    start = {"svg": "<svg", "html": "<!DOCTYPE html>"}.get(ending, "digraph")
    assert content.startswith(start)
    with pytest.raises(tg.TinygradError, match=r"\.svg, \.html, \.dot or \.gv"):
        drawing.save(tmp_path / "graph.png")


def test_notebooks_get_svg_and_a_page_in_a_frame():
    *_, total = scalar_graph()
    drawing = tg.inspect.draw(total)
    assert drawing._repr_svg_() == drawing.svg
    frame = drawing._repr_html_()
    assert ElementTree.fromstring(frame).tag == "iframe"
    assert html.unescape(re.search('srcdoc="([^"]*)"', frame)[1]) == drawing.html
    assert "viewBox" in drawing.svg and "wheel" in drawing.html


def test_scalars_and_tensors_in_one_graph():
    s = tg.Scalar(2.0)
    t = tg.tensor([1.0, 2.0], requires_grad=True)
    drawing = tg.inspect.draw((t * s).sum(), names={"s": s, "t": t})
    assert "2       3" in rows_of(drawing)["s"]
    assert {"s", "t"} <= set(rows_of(drawing))


def test_hooks_count_as_in_backward():
    x = tg.tensor([3.0], requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    loss = y.sum()
    drawing = tg.inspect.draw(loss, names={"x": x})
    loss.backward()
    assert rows_of(drawing)["x"].endswith(f"{x.grad[0]:g}")


def test_several_results_and_a_gradient_of_ones_own():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    assert "grad" not in "".join(
        t for _, ts in boxes_of(tg.inspect.draw([x * 2, x * 3])) for t in ts
    )
    drawing = tg.inspect.draw(x * 2, gradient=np.array([1.0, 10.0]), names={"x": x})
    assert rows_of(drawing)["x"].endswith("[2, 20]")


def test_a_leaf_alone():
    assert boxes_of(tg.inspect.draw(tg.Scalar(1.5))) == [("input", ["v1", "1.5", "grad 1"])]


def test_boxes_do_not_overlap_and_layers_flow():
    rng = np.random.default_rng(0)
    sizes = [(float(w), float(h)) for w, h in rng.uniform(20, 120, (60, 2))]
    edges = [(int(rng.integers(0, t)), t) for t in range(1, 60) for _ in range(2)]
    for downward in (False, True):
        layout = arrange(sizes, edges, downward)
        low = [(x - w / 2, y - h / 2) for (x, y), (w, h) in zip(layout.centres, sizes, strict=True)]
        for i in range(60):
            assert low[i][0] >= 0 and low[i][0] + sizes[i][0] <= layout.width
            assert low[i][1] >= 0 and low[i][1] + sizes[i][1] <= layout.height
            for j in range(i):
                apart = [
                    low[i][k] >= low[j][k] + sizes[j][k] or low[j][k] >= low[i][k] + sizes[i][k]
                    for k in (0, 1)
                ]
                assert any(apart)
        along = 1 if downward else 0
        assert all(layout.centres[s][along] < layout.centres[t][along] for s, t in edges)


def test_ten_thousand_nodes_in_a_chain_with_shared_parameters():
    weights = [tg.Scalar(0.5) for _ in range(10)]
    h = tg.Scalar(0.3)
    for step in range(5_000):
        h = h * weights[step % 10] + weights[(step + 1) % 10]
    started = time.perf_counter()
    drawing = tg.inspect.draw(h)
    assert len(drawing) == 10_011
    assert len(drawing.svg) < 40_000_000
    assert drawing.dot.count("->") == 20_000
    assert time.perf_counter() - started < 60
