"""Plug-ins by name: installed ones, a task's own, and what is said about names and classes that are none."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crowdd.daemon.architects.mock import MockArchitect
from crowdd.daemon.blueprints.static import StaticBlueprint
from crowdd.daemon.providers.inhouse import InhouseProvider
from crowdd.daemon.providers.mock import MockProvider
from crowdd.daemon.registry import BrokenPlugIn, Kind, Registry, UnknownPlugIn, installed_plug_ins
from crowdd.daemon.task_folder import load_task_code, unload_task_code

IMPORT = "from crowdd.daemon.providers.mock import MockProvider\n"


def task_code(folder: Path, text: str) -> ModuleType:
    (folder / "task.py").write_text(text)
    module = load_task_code(folder)
    assert module is not None
    unload_task_code(module)
    return module


def test_what_crowdd_brings_is_found_by_its_entry_points() -> None:
    registry = installed_plug_ins()
    assert registry.blueprint("static") is StaticBlueprint
    assert registry.provider("inhouse") is InhouseProvider
    assert registry.architect("mock") is MockArchitect


@pytest.mark.parametrize("kind", Kind)
def test_every_plug_in_that_crowdd_declares_can_be_loaded(kind: Kind) -> None:
    registry = installed_plug_ins()
    assert {name: registry.find(kind, name).name for name in registry.names(kind)} == {
        name: name for name in registry.names(kind)
    }


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(UnknownPlugIn, match="there is no provider 'inhose'; did you mean 'inhouse'"):
        installed_plug_ins().provider("inhose")


def test_a_name_like_no_other_gets_all_there_are() -> None:
    with pytest.raises(UnknownPlugIn, match="known: inhouse, mock"):
        installed_plug_ins().provider("zzz")


def test_a_class_of_task_py_is_found_by_its_own_run_only(tmp_path: Path) -> None:
    code = task_code(
        tmp_path,
        f"{IMPORT}class Mine(MockProvider):\n    name = 'mine'\n",
    )
    installed = installed_plug_ins()
    assert issubclass(installed.with_task_code(code).provider("mine"), MockProvider)
    with pytest.raises(UnknownPlugIn):
        installed.provider("mine")


def test_what_task_py_only_imports_is_not_its_own(tmp_path: Path) -> None:
    code = task_code(tmp_path, "from crowdd.daemon.providers.mock import MockProvider as Renamed\n")
    registry = installed_plug_ins().with_task_code(code)
    assert registry.names(Kind.PROVIDER) == installed_plug_ins().names(Kind.PROVIDER)


def test_a_class_of_task_py_goes_before_an_installed_one(tmp_path: Path) -> None:
    code = task_code(tmp_path, f"{IMPORT}class Mine(MockProvider): pass\n")
    assert installed_plug_ins().with_task_code(code).provider("mock").__name__ == "Mine"


def test_a_class_beside_task_py_counts_as_the_tasks_own(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(f"{IMPORT}class Mine(MockProvider):\n    name = 'mine'\n")
    code = task_code(tmp_path, "from .parts import Mine\n")
    assert installed_plug_ins().with_task_code(code).provider("mine").__name__ == "Mine"


def test_two_classes_of_one_name_are_refused(tmp_path: Path) -> None:
    code = task_code(
        tmp_path,
        f"{IMPORT}class One(MockProvider):\n    name = 'mine'\nclass Two(MockProvider):\n    name = 'mine'\n",
    )
    with pytest.raises(BrokenPlugIn, match=r"two classes of task.py are the provider 'mine'; rename Two"):
        installed_plug_ins().with_task_code(code)


def test_an_unfinished_class_of_task_py_is_a_base_for_others(tmp_path: Path) -> None:
    code = task_code(
        tmp_path,
        "from crowdd.daemon.architects.contract import Architect\n"
        "class Half(Architect):\n    name = 'half'\n",
    )
    assert "half" not in installed_plug_ins().with_task_code(code).names(Kind.ARCHITECT)


def registry_of(found: Any) -> Registry:
    def load() -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    return Registry({kind: {"it": load} for kind in Kind})


def test_a_plug_in_that_cannot_be_imported_says_why() -> None:
    with pytest.raises(BrokenPlugIn, match="the architect 'it' cannot be loaded: ImportError: no libx"):
        registry_of(ImportError("no libx")).architect("it")


@pytest.mark.parametrize("found", [int, 5, MockProvider, None])
def test_what_is_no_architect_is_refused(found: Any) -> None:
    with pytest.raises(BrokenPlugIn, match="is no Architect"):
        registry_of(found).architect("it")


def test_a_plug_in_without_options_is_refused() -> None:
    class Bare(MockProvider):
        pass

    setattr(Bare, "Options", int)  # noqa: B010  # what the checkers would not let an author do
    with pytest.raises(BrokenPlugIn, match=r"Bare .* needs `Options`, a frozen attrs class"):
        registry_of(Bare).provider("it")


def test_a_plug_in_that_lacks_methods_names_them() -> None:
    class Lacking(MockArchitect):
        pass

    Lacking.__abstractmethods__ = frozenset({"deploy"})
    with pytest.raises(BrokenPlugIn, match=r"Lacking .* lacks deploy"):
        registry_of(Lacking).architect("it")
