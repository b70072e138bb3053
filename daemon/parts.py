"""Puts a run's parts together from its stored config and folder: blueprint, provider, architect, pages."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import attrs

from ..storage.records import TaskRun
from .architects.contract import Architect, Site
from .blueprints.contract import Blueprint, BlueprintFault, Material
from .bundle import make_bundle, page_files
from .full_disk import may_pass
from .hooks import Found, hooks_of
from .house import House
from .providers.contract import CrowdProvider, Place
from .registry import BrokenPlugIn, Registry, UnknownPlugIn
from .task_config import ConfigRefused, RunConfig
from .task_folder import TaskCodeFailed, load_task_code, unload_task_code
from .task_structuring import config_from_json


class RunBroken(Exception):
    """The run cannot be held at present; says why and what to do. Other runs are not touched."""


@attrs.frozen
class Page:
    """The pages as they are deployed: a tar.gz and its name."""

    sha256: str
    bundle: bytes = attrs.field(repr=False)


@attrs.frozen
class Parts:
    """What a LiveRun is made of."""

    config: RunConfig
    blueprint: Blueprint
    provider: CrowdProvider
    architect: Architect
    page: Page
    hooks: Found


@attrs.frozen
class Outside:
    """What others keep of a run: its crowd provider, and routers that outlast it."""

    provider: CrowdProvider
    architect: Architect


@attrs.frozen
class TaskCode:
    """What a task folder's task.py brings: plug-ins for its own run, and functions that blueprints use."""

    registry: Registry
    module: ModuleType | None

    def blueprint(self, config: RunConfig, folder: Path) -> Blueprint:
        """The blueprint of the folder. BlueprintFault, UnknownPlugIn, BrokenPlugIn."""
        code = {} if self.module is None else {**vars(self.module)}
        material = Material(folder, config, code.get("rows"), code)
        return self.registry.blueprint(config.blueprint.type)(config.blueprint.options, material)

    def forget(self) -> None:
        """Let the author's code go; what it defined lives on where it is held."""
        if self.module is not None:
            unload_task_code(self.module)


def task_code(registry: Registry, folder: Path) -> TaskCode:
    """Run the folder's task.py, if there is one. TaskCodeFailed, BrokenPlugIn."""
    module = load_task_code(folder)
    return TaskCode(registry.with_task_code(module), module)


def assemble(run: TaskRun, house: House, registry: Registry) -> Parts:
    """Make the parts of a stored run. RunBroken says what is missing and the remedy; OSError: may pass."""
    folder = house.task_folder(run.launch_id)
    try:
        code = task_code(registry, folder)
        config = config_from_json(run.config, code.registry)
        return _with_page(run, config, code, house)
    except (TaskCodeFailed, ConfigRefused, UnknownPlugIn, BrokenPlugIn, BlueprintFault, OSError) as exc:
        if isinstance(exc, OSError) and may_pass(exc):
            raise  # whoever holds the run tries again
        raise RunBroken(
            f"{exc}. Nothing of the run is lost: mend this (its files are in {folder}) and restart the "
            "daemon, or stop the run."
        ) from exc


def provider_of(run: TaskRun, house: House, registry: Registry) -> CrowdProvider:
    """The provider alone, of a run that is not held. RunBroken."""
    with _not_held(run, house, registry) as (config, plug_ins):
        return _provider(run, config, plug_ins, house)


def outside_of(run: TaskRun, house: House, registry: Registry) -> Outside:
    """What others know of a run that is not held. RunBroken."""
    with _not_held(run, house, registry) as (config, plug_ins):
        provider = _provider(run, config, plug_ins, house)
        return Outside(provider, _architect(run, config, plug_ins, house))


@contextmanager
def _not_held(run: TaskRun, house: House, registry: Registry) -> Generator[tuple[RunConfig, Registry]]:
    """What parts of a run are made of; whatever is wrong is said, and no remedy: the run is not to go on."""
    try:
        code = task_code(registry, house.task_folder(run.launch_id))
        yield config_from_json(run.config, code.registry), code.registry
    except (TaskCodeFailed, ConfigRefused, UnknownPlugIn, BrokenPlugIn, OSError) as exc:
        raise RunBroken(str(exc)) from exc


def _provider(run: TaskRun, config: RunConfig, registry: Registry, house: House) -> CrowdProvider:
    folder = house.task_folder(run.launch_id)
    secret, *old = house.link_secrets
    place = Place(run, house.storage, house.wall, house.rng, secret, folder, old)
    return registry.provider(config.provider.type)(config.provider.options, place)


def _architect(run: TaskRun, config: RunConfig, registry: Registry, house: House) -> Architect:
    site = Site(run, house.run_folder(run.id), house.routers, house.router_processes)
    return registry.architect(config.architect.type)(config.architect.options, site)


def _with_page(run: TaskRun, config: RunConfig, code: TaskCode, house: House) -> Parts:
    blueprint = code.blueprint(config, house.task_folder(run.launch_id))
    provider = _provider(run, config, code.registry, house)
    run_folder = house.run_folder(run.id)
    run_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (run_folder / "files").mkdir(mode=0o700, exist_ok=True)
    architect = _architect(run, config, code.registry, house)
    page = Page(*make_bundle(page_files(config, blueprint, provider)))
    return Parts(config, blueprint, provider, architect, page, hooks_of(config, code.module, blueprint))
