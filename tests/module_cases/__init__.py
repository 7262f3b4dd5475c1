"""Every exported module with arguments and inputs: what the walks over all modules take.

A file for each family of layers, which lists its cases in `CASES`.
"""

import importlib
import pkgutil

from tinygrad_cs import nn

from .record import ModuleCase

CASES: list[ModuleCase] = []
for _file in pkgutil.iter_modules(__path__):
    CASES += getattr(importlib.import_module(f"{__name__}.{_file.name}"), "CASES", [])


def names(cases):
    """The classes of modules that the cases make."""
    return [type(case.make(nn)).__name__ for case in cases]


def ids(cases):
    """For pytest: the class with a number, since several cases make the same."""
    made = names(cases)
    return [f"{name}-{made[:i].count(name)}" for i, name in enumerate(made)]
