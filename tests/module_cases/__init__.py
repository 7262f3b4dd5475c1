"""Every exported module with arguments and inputs: what the walks over all modules take.

A file for each family of layers, which lists its cases in `CASES`.
"""

import importlib
import pkgutil

from .record import ModuleCase

CASES: list[ModuleCase] = []
for _file in pkgutil.iter_modules(__path__):
    CASES += getattr(importlib.import_module(f"{__name__}.{_file.name}"), "CASES", [])
