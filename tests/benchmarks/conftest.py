"""Makes `benchmarks` importable, and it alone: with its folder on the path, all our bare names would be."""

import importlib.util
import sys
from pathlib import Path

HOME = Path(__file__).parent.parent.parent / "benchmarks"


def _load() -> None:
    spec = importlib.util.spec_from_file_location(
        "benchmarks", HOME / "__init__.py", submodule_search_locations=[str(HOME)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules["benchmarks"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


_load()
