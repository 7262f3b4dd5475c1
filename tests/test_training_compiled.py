"""`fit(compile=True)`: the same numbers as without, to the last bit, also after a resumption."""

import gc
import math

import numpy as np
import pytest
from both_ways import net

import tinygrad_cs as tg
from tinygrad_cs import nn, optim, training
from tinygrad_cs.engine import errors

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("f4")
Y = RNG.integers(0, 3, 50)


def made(compile, optimizer=optim.Adam, seed=0, **options):
    tg.manual_seed(seed)
    model = net(4, 16, 3)
    options = (
        {
            "loss": nn.CrossEntropyLoss(),
            "optimizer": optimizer(model.parameters(), lr=0.01),
            "epochs": 3,
            "batch_size": 16,  # 50 samples: the last batch of an epoch has two
            "validation": (X[:20], Y[:20]),
            "progress": False,
        }
        | options
    )
    return training.Run(model, (X, Y), compile=compile, **options)


def outcome(run):
    state = run.state_dict()
    for row in state["history"]["rows"]:
        del row["seconds"]
    state["totals"]["seconds"] = 0.0
    return repr(plain(state))


def plain(state):
    if isinstance(state, dict):
        return {name: plain(part) for name, part in state.items()}
    if isinstance(state, (list, tuple)):
        return list(map(plain, state))
    return (str(state.dtype), state.tolist()) if isinstance(state, np.ndarray) else state


OPTIONS = {
    "plainly": {},
    "clipped by norm": {"clip_norm": 0.5},
    "clipped by value": {"clip_value": 0.02},
    "metrics": {"metrics": ["accuracy", "f1"]},
    "accumulated": {"accumulate": 3},
    "accumulated sums": {"accumulate": 2, "loss": nn.CrossEntropyLoss(reduction="sum")},
    "averaged, until it gets worse": {"ema": 0.9, "patience": 0},
    "sgd": {"optimizer": optim.SGD},
    "rmsprop": {"optimizer": optim.RMSprop},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_compiled_training_is_the_plain_one_bit_for_bit(options):
    eager = made(False, **options)
    eager.train()
    compiled = made(True, **options)
    compiled.train()
    assert outcome(compiled) == outcome(eager)
    assert "# backward" in compiled.program.source and eager.program is None


@pytest.mark.parametrize("every", ["epoch", "batch"])
def test_a_schedule_changes_the_rate_of_the_same_program(every):
    def trained(compile):
        tg.manual_seed(0)
        model = net(4, 16, 3)
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        run = training.Run(
            model, (X[:48], Y[:48]), batch_size=16, epochs=6, loss=nn.CrossEntropyLoss(),
            optimizer=optimizer, schedule=optim.lr_scheduler.ExponentialLR(optimizer, 0.8),
            schedule_every=every, compile=compile, progress=False,
        )  # fmt: skip
        run.train()
        return run

    compiled = trained(True)
    assert outcome(compiled) == outcome(trained(False))
    assert compiled.lr < 0.01


@pytest.mark.parametrize("step", [1, 6, 8])
@pytest.mark.parametrize("first", [False, True], ids=["from plain", "from compiled"])
def test_a_resumed_training_is_the_uninterrupted_one(step, first, tmp_path):
    """Also where the one before the stop was compiled and the one after it is not, or reversed."""
    whole = made(False)
    whole.train()

    class Save(training.Callback):
        def on_batch_end(self, run):
            if run.steps == step:
                tg.save(tmp_path / "state", run.state_dict() | {"callbacks": []})

    made(first, callbacks=Save()).train()
    for compile in (False, True):
        again = made(compile, seed=9)
        again.load_state_dict(tg.load(tmp_path / "state"))
        again.train()
        assert outcome(again) == outcome(whole)


def test_a_loss_that_is_not_finite_changes_no_weight_and_is_explained():
    x = X.copy()
    x[40] = np.nan

    def failing(compile):
        tg.manual_seed(0)
        model = nn.Linear(4, 3)
        run = training.Run(
            model, (x, Y), batch_size=10, epochs=1, loss=nn.CrossEntropyLoss(), shuffle=False,
            optimizer=optim.SGD(model.parameters(), lr=0.1), compile=compile, progress=False,
        )  # fmt: skip
        with pytest.raises(training.NonFiniteLossError) as caught:
            run.train()
        assert all(np.isfinite(p.data).all() for p in model.parameters())
        return str(caught.value)

    assert "infinity or NaN in 1 of 10 samples" in failing(True)
    assert failing(True) == failing(False)


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_the_very_first_batch_may_be_what_is_not_finite(what):
    model = nn.Linear(4, 3)
    x = np.full_like(X, np.nan) if what == "loss" else X
    # the gradient of the root at 0 is infinite
    power = 1 if what == "loss" else 0.5
    with pytest.raises(training.NonFiniteLossError, match=f"the {what} became"):
        training.fit(
            model, (x, Y), batch_size=25, epochs=1, compile=True, clip_norm=1.0, progress=False,
            loss=lambda p, y: ((p - p) ** power).sum() if power < 1 else p.sum(),
            optimizer=optim.SGD(model.parameters(), lr=0.1),
        )  # fmt: skip


def test_what_cannot_be_compiled_says_so():
    class Deciding(nn.Linear):
        def forward(self, x):
            y = super().forward(x)
            return y if y.sum().item() > 0 else -y

    model = Deciding(4, 3)
    options = {"batch_size": 25, "epochs": 1, "loss": nn.CrossEntropyLoss(), "progress": False}
    before = model.state_dict()
    with pytest.raises(errors.CompileError, match=r"test_training_compiled\.py") as caught:
        training.fit(model, (X, Y), optimizer=optim.Adam(model.parameters()), compile=True,
                     **options)  # fmt: skip
    assert "leave compile out" in caught.value.__notes__[0]
    for name, value in model.state_dict().items():
        assert (value == before[name]).all()
    with pytest.raises(errors.ArgumentError, match="LBFGS, which searches"):
        training.fit(model, (X, Y), optimizer=optim.LBFGS(model.parameters()), compile=True,
                     **options)  # fmt: skip
    with pytest.raises(errors.ArgumentError, match="compile must be True or False, got 'yes'"):
        training.fit(model, (X, Y), optimizer=optim.Adam(model.parameters()), compile="yes",
                     **options)  # fmt: skip


def test_few_programs_do_for_a_training():
    """Two for whole batches (without gradients, and with), one for the rest; not one a batch."""
    run = made(True, epochs=5)
    run.train()
    assert run.program._count <= 4
    assert math.isfinite(run.loss)


@pytest.mark.filterwarnings("ignore:compile. step was traced:UserWarning")
def test_where_every_batch_needs_its_own_program_it_goes_on_plainly():
    lengths = np.random.default_rng(0).permutation(np.arange(2, 40))

    class Ragged:
        def __iter__(self):
            return ((X[:n], Y[:n]) for n in lengths)

    def trained(compile):
        tg.manual_seed(0)
        model = net(4, 16, 3)
        run = training.Run(
            model, Ragged(), loss=nn.CrossEntropyLoss(), epochs=1, compile=compile,
            optimizer=optim.SGD(model.parameters(), lr=0.1), progress=False,
        )  # fmt: skip
        run.train()
        return run

    with pytest.warns(UserWarning, match="it goes on without compiling") as told:
        run = trained(True)
    assert sum("goes on" in str(w.message) for w in told) == 1
    assert 10 < run.program._count < 20
    for name, value in trained(False).model.state_dict().items():
        assert (value == run.model.state_dict()[name]).all()


def test_a_run_is_let_go_of():
    import weakref

    run = made(True)
    run.train()
    gone = weakref.ref(run.model)
    del run
    gc.collect()
    assert gone() is None
