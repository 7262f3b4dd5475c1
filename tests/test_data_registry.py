"""The registry says what the loaders give."""

import importlib.util

import numpy as np
import pytest

from tinygrad_cs import data
from tinygrad_cs.engine import errors

GENERATED = [known.name for known in data.registry.values() if known.source == "generated"]
BUNDLED = [known.name for known in data.registry.values() if "scikit-learn" in known.source]
FILES = [known.name for known in data.registry.values() if known.files]


def test_every_set_is_of_one_origin():
    assert sorted(GENERATED + BUNDLED + FILES) == sorted(data.registry)
    assert all(name == known.name for name, known in data.registry.items())
    for known in data.registry.values():
        assert getattr(data, known.load.__name__) is known.load
        assert not known.class_names or len(known.class_names) == known.classes


@pytest.mark.parametrize("name", GENERATED)
def test_generated_sets_are_as_described(name):
    known = data.registry[name]
    x, y = known.load(30)
    assert x.shape == (30, *known.shape) and x.dtype == known.dtype
    assert (len(set(y.tolist())) if y.ndim == 1 else None) == known.classes
    assert known.megabytes is None and "any number" in str(known)


@pytest.mark.parametrize("name", BUNDLED)
def test_sets_of_scikit_learn_are_as_described(name):
    known = data.registry[name]
    samples = known.load()
    assert samples.x.shape == (*known.parts.values(), *known.shape)
    assert samples.class_names == known.class_names
    assert known.megabytes == samples.x.nbytes / 1e6


@pytest.mark.parametrize("name", FILES)
def test_sets_in_files_are_as_described(name, tmp_path):
    known = data.registry[name]
    for file in known.files:
        if file.endswith(".bin"):
            labels = bytes(2 if name == "cifar100" else 1)
            (tmp_path / file).write_bytes(labels + bytes(3072))
        elif "images" in file:
            header = np.array([1, 28, 28], ">u4").tobytes()
            (tmp_path / file).write_bytes(bytes([0, 0, 8, 3]) + header + bytes(784))
        elif "labels" in file:
            (tmp_path / file).write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 0]))
    if name == "cifar100":
        (tmp_path / known.files[-1]).write_text("\n".join(f"class_{k}" for k in range(100)))
    for train in (True, False):
        samples = known.load(tmp_path, train)
        assert samples.x.shape[1:] == known.shape and samples.x.dtype == known.dtype
        assert samples.y.dtype == np.int64 and len(samples.class_names) == known.classes
        assert samples.class_names == known.class_names or name == "cifar100"
    for file in known.files[:-1]:
        assert file in data.describe(name)
    assert "https://" in data.describe(name)


def test_describe_lists_and_refuses():
    lines = data.describe().splitlines()
    assert [line.split()[0] for line in lines] == list(data.registry)
    with pytest.raises(errors.ArgumentError, match="did you mean 'mnist'"):
        data.describe("mnits")
    with pytest.raises(errors.ArgumentError, match="there are two_spirals"):
        data.describe("imagenet-21k")
    with pytest.raises(TypeError):
        data.registry["mine"] = None


def test_the_registry_is_the_mapping_not_a_module():
    assert importlib.util.find_spec("tinygrad_cs.data.registry") is None
