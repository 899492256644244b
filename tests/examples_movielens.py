"""The example's script as a module, since its folder has a name for people."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from tests.conftest import MOVIELENS


def load(name: str) -> ModuleType:
    """Import a script of the example by its file name."""
    spec = importlib.util.spec_from_file_location(f"movielens_{name}", MOVIELENS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


prepare = load("prepare")
