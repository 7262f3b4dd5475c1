"""Model files: what goes in comes out, and others read them."""

import json
import math
import os
import stat
import struct
from collections import OrderedDict, namedtuple
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

import tinygrad_cs as tg
from tinygrad_cs import data, nn, optim, saving
from tinygrad_cs.engine import errors

DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.safetensors"


def through(path, state, **arguments):
    tg.save(path, state, **arguments)
    return tg.load(path)


def assert_same(got, expected):
    """Equal in type, dtype, shape and every bit, NaN included."""
    assert type(got) is type(expected)
    if isinstance(expected, (np.ndarray, np.generic)):
        assert got.dtype == expected.dtype and got.shape == expected.shape
        assert got.tobytes() == expected.tobytes()
    elif isinstance(expected, dict):
        assert list(map(repr, got)) == list(map(repr, expected))
        for a, b in zip(got.values(), expected.values(), strict=True):
            assert_same(a, b)
    elif isinstance(expected, (list, tuple)):
        assert len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            assert_same(a, b)
    elif isinstance(expected, (float, complex)):
        assert repr(got) == repr(expected)
    else:
        assert got == expected


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (5,), (2, 3), (1, 1, 4)])
def test_arrays_of_every_dtype(path, dtype, shape):
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.random.default_rng(0).integers(0, 2 if dtype == "?" else 256, size, np.uint8)
    array = raw.view(dtype).reshape(shape)
    state = {"a": array, "first": np.int8(1), "scalar": array.reshape(-1)[:1].sum()}
    assert_same(through(path, state), state)


def test_the_order_of_memory_and_bytes_is_no_part_of_an_array(path):
    base = np.arange(24.0).reshape(4, 6)
    views = {
        "transposed": base.T,
        "strided": base[::2, 1::2],
        "reversed": base[::-1],
        "broadcast": np.broadcast_to(np.float32(3), (2, 2)),
        "big": base.astype(">f8"),
        "big complex": (base * 1j).astype(">c16"),
        "fortran": np.asfortranarray(base),
        "reading": MappingProxyType({"a": base}),
        "tensor": tg.tensor([1.0, 2.0], requires_grad=True),
    }
    got = through(path, views)
    for name in ("transposed", "strided", "reversed", "broadcast", "big", "big complex", "fortran"):
        assert (got[name] == views[name]).all() and got[name].dtype.isnative
        assert got[name].flags.c_contiguous and got[name].flags.writeable
    assert got["reading"]["a"].tolist() == base.tolist()
    assert_same(got["tensor"], np.array([1, 2], np.float32))


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | arrays_of.arrays(st.sampled_from(DTYPES), arrays_of.array_shapes(min_dims=0, min_side=0))
    | st.integers(0, 2**64 - 1).map(np.uint64)
    | st.floats(width=32).map(np.float32)
    | st.floats().map(np.float64)
    | st.booleans().map(np.bool_)
)
KEYS = st.text() | st.integers() | st.none() | st.tuples(st.integers(), st.text())
STATES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(KEYS, inner)
    ),
    max_leaves=12,
)


@given(state=STATES)
def test_whatever_is_saved_comes_back(tmp_path_factory, state):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    assert_same(through(path, state), state)


@pytest.mark.parametrize(
    "state",
    [
        {"a": {"b": np.array(1)}, "a.b": np.array(2), "a.b~1": np.array(3)},
        {"__metadata__": np.array(1), "": np.array(2), "tinygrad_cs.crc32": np.array(3)},
        {1: np.array(1), "1": np.array(2), 1.5: np.array(3), (1, "x"): np.array(4), None: 5},
        [[], {}, (), [()], {"dict": {"tuple": [1]}}, {"array": "x"}],
        {"long": 10**5000, "negative": -(2**5000), "inf": -math.inf, "nan": math.nan, "zero": -0.0},
        '"tinygrad_cs.crc32":"12345678"',
        {'"tinygrad_cs.crc32":"': 'x"tinygrad_cs.crc32":"00000000"'},
        "\ud800 half a character",
        {"\ud800": np.array(1)},
        OrderedDict(b=1, a=2),
        np.array([[1.5]]),
        None,
    ],
)
def test_names_and_values_out_of_the_ordinary(path, state):
    got = through(path, state)
    assert_same(got, dict(state) if isinstance(state, OrderedDict) else state)


@pytest.mark.parametrize("kind", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_generators_draw_on_where_they_were(path, kind):
    rng = np.random.Generator(kind(3))
    rng.integers(10, size=7, dtype=np.uint32)
    saved = through(path, rng.bit_generator.state)
    other = np.random.Generator(kind(4))
    other.bit_generator.state = saved
    assert other.normal(size=5).tolist() == rng.normal(size=5).tolist()


def test_a_run_goes_on_bit_for_bit(path):
    def start():
        tg.manual_seed(0)
        rng = np.random.default_rng(1)
        dataset = data.TensorDataset(rng.normal(size=(40, 3)), rng.integers(0, 2, 40))
        model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.3), nn.Linear(8, 2))
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        return model, optimizer, data.DataLoader(dataset, 8, shuffle=True, generator=2)

    def train(model, optimizer, loader):
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x.astype(np.float32)), y).backward()
            optimizer.step()
            yield

    from tinygrad_cs.engine.modes import generator

    parts = start()
    steps = train(*parts)
    for _ in range(3):
        next(steps)
    state = {"parts": [part.state_dict() for part in parts]}
    state["random"] = generator().bit_generator.state
    tg.save(path, state)
    list(steps), list(train(*parts))

    again = start()
    saved = tg.load(path)
    for part, own in zip(again, saved["parts"], strict=True):
        part.load_state_dict(own)
    generator().bit_generator.state = saved["random"]
    list(train(*again)), list(train(*again))
    for a, b in zip(parts[0].parameters(), again[0].parameters(), strict=True):
        assert a.data.tobytes() == b.data.tobytes()


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ({"a": [1, {2, 3}]}, errors.ArgumentError, r"state\['a'\]\['1'\] is of type set.*sorted"),
        ({"model": nn.Linear(1, 1)}, errors.ArgumentError, r"\['model'\].*\.state_dict\(\)"),
        (np.random.default_rng(), errors.ArgumentError, "bit_generator.state"),
        ([Point(1, 2)], errors.ArgumentError, r"Point.*tuple\(\.\.\.\)"),
        ({"f": print}, errors.ArgumentError, "builtin_function"),
        (b"bytes", errors.ArgumentError, "bytes"),
        ({frozenset(): 1}, errors.ArgumentError, "key of type frozenset"),
        ({"x": np.array([None])}, errors.DTypeError, r"\['x'\] has dtype object"),
        (np.array(["a"]), errors.DTypeError, "dtype <U1"),
        (np.zeros(2, "M8[s]"), errors.DTypeError, "datetime64"),
        (np.zeros(2, [("a", "f4")]), errors.DTypeError, "dtype"),
        (np.zeros(2, np.longdouble), errors.DTypeError, "64 bits"),
    ],
)
def test_saving_refuses(path, state, error, message):
    if state is not None and np.dtype(np.longdouble).itemsize == 8 and "64 bits" in message:
        pytest.skip("extended precision is double precision here")
    path.write_text("earlier")
    with pytest.raises(error, match=message):
        tg.save(path, state)
    assert path.read_text() == "earlier" and os.listdir(path.parent) == [path.name]


def test_cycles_are_refused(path):
    state = {"a": []}
    state["a"] += [state, state]
    with pytest.raises(errors.ArgumentError, match="contain itself"):
        tg.save(path, state)


def test_metadata_is_read_without_the_data(path):
    state = {"w": np.zeros((2, 3), np.float32), "n": [np.int64(3)], "z": np.zeros((), np.complex64)}
    tg.save(path, state, metadata={"comment": "Grüße", "run": "7"})
    info = saving.inspect(path)
    assert info.metadata == {"comment": "Grüße", "run": "7"}
    assert info.tensors == {"n.0": ("I64", ()), "w": ("F32", (2, 3)), "z": ("F32", (2,))}
    assert info.version
    tg.save(path, state, metadata="one line")
    assert saving.inspect(path).metadata == {"description": "one line"}
    for wrong in ({"a": 1}, {1: "a"}, {"tinygrad_cs.crc32": "0"}, {"a": "\ud800"}):
        with pytest.raises(errors.ArgumentError, match="metadata"):
            tg.save(path, state, metadata=wrong)


# Others


def test_the_layout_is_that_of_safetensors(path):
    state = {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "flag": np.array([True])}
    tg.save(path, state)
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    assert length % 8 == 0, "the data is aligned"
    assert header["weight"] == {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    assert header["flag"] == {"dtype": "BOOL", "shape": [1], "data_offsets": [24, 25]}
    assert all(type(value) is str for value in header["__metadata__"].values())
    assert raw[8 + length :] == state["weight"].tobytes() + b"\x01"


def test_the_public_package_reads_our_files(path):
    public = pytest.importorskip("safetensors.numpy")
    state = {
        f"{dtype}{list(shape)}": np.ones(shape, dtype)
        for dtype in DTYPES
        if "c" not in dtype
        for shape in [(), (0, 2), (3,), (2, 3)]
    }
    tg.save(path, state, metadata="for all")
    got = public.load_file(path)
    assert set(got) == set(state)
    for name, array in state.items():
        assert_same(got[name], array)
    tg.save(path, {"nested": [{"z": np.ones(2, np.complex64)}], "plain": {"\ud800": 1e-3}})
    assert public.load_file(path)["nested.0.z"].tolist() == [[1, 0], [1, 0]]


def test_we_read_files_of_the_public_package(path):
    public = pytest.importorskip("safetensors.numpy")
    state = {f"a.{dtype}": np.ones((2, 3), dtype) for dtype in DTYPES if "c" not in dtype}
    state |= {"empty": np.zeros((0, 3)), "number": np.array(3.5)}
    public.save_file(state, path, metadata={"format": "np"})
    got = tg.load(path)
    assert set(got) == set(state)
    for name, array in state.items():
        assert_same(got[name], array)
    info = saving.inspect(path)
    assert info.version is None and info.metadata == {"format": "np"}


def test_bfloat16_of_others_becomes_float32(path):
    values = np.array([1.5, -2.0, np.inf, 0.0078125], np.float32)
    upper = (values.view(np.uint32) >> 16).astype("<u2")
    entry = {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}
    header = json.dumps({"w": entry}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + upper.tobytes())
    assert_same(tg.load(path), {"w": values})


def test_pytorch_reads_our_files_and_we_read_its(path):
    torch = pytest.importorskip("torch")
    public = pytest.importorskip("safetensors.torch")
    ours = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    tg.save(path, ours.state_dict())
    theirs.load_state_dict(public.load_file(path))
    for name, array in ours.state_dict().items():
        assert theirs.state_dict()[name].numpy().tobytes() == np.asarray(array).tobytes()
    theirs[0].weight.data *= 3
    public.save_file(theirs.state_dict(), path)
    ours.load_state_dict(tg.load(path))
    assert (ours[0].weight.data == theirs[0].weight.detach().numpy()).all()


# The file itself


def test_links_and_permissions_stay(tmp_path):
    real = tmp_path / "real.safetensors"
    tg.save(real, 1)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(real.stat().st_mode) == 0o666 & ~umask
    real.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(real)
    tg.save(link, 2)
    assert link.is_symlink() and tg.load(real) == 2
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["link", "real.safetensors"]


def test_missing_places_are_the_systems_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        tg.load(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        tg.save(tmp_path / "none" / "state", 1)
    with pytest.raises(IsADirectoryError):
        tg.load(tmp_path)
    with pytest.raises(IsADirectoryError):
        tg.save(tmp_path, 1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(saving.ModelFileError, match="not an ordinary file"):
        tg.load(tmp_path / "pipe")
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_state_in_place_of_the_path_is_told_the_order() -> None:
    with pytest.raises(errors.ArgumentError, match=r"got dict; write tg.save\(path, state\)"):
        tg.save({"a": 1}, "model.safetensors")  # type: ignore[arg-type]
    with pytest.raises(errors.ArgumentError, match=r"load: expected the path of a file, got list"):
        tg.load([])  # type: ignore[arg-type]
