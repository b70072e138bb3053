"""Says of a task folder all that is wrong with it, at once, or what would run. Stores nothing; blocks."""

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..protocol.names import QueueOrder
from .architects.contract import Ground
from .blueprints.contract import Blueprint, BlueprintFault, ReadData
from .config_rest import Rest, rest_of
from .group_faults import group_faults
from .hooks import SECTIONS, hook_faults, hook_warnings
from .parts import TaskCode, task_code
from .registry import BrokenPlugIn, Kind, Registry, UnknownPlugIn
from .routers import Routers
from .task_config import ConfigRefused, RunConfig
from .task_folder import TaskCodeFailed
from .task_structuring import config_to_json, structure_config
from .task_toml import read_document
from .unit_order import order_faults, queue_of

ROUTERS_OPEN = "architect.routers: whether they and their secrets can be used, only the daemon knows"
ROWS_COUNTED_MAX = 1_000_000  # a blueprint's rows may be endless


class LaunchRefused(Exception):
    """Nothing was launched; `problems` says everything that is wrong, one "path: what" each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = [*problems]


@attrs.frozen
class Plan:
    """What would run."""

    name: str
    label: str
    blueprint: str
    provider: str
    sandbox: bool
    architect: str
    units: int | None
    """How many units the data makes; None: rows() of task.py makes them as it goes."""
    units_more: bool
    """Whether there may be more than were counted."""
    reward: str
    """Pay for one unit."""
    pay_total: str | None
    address: str
    """Where workers would find it, as far as that is known; `<port>` stands for one that is chosen then."""
    warnings: list[str] = attrs.Factory(list[str])
    """What may be meant so, and hardly is."""


@attrs.frozen
class CheckedTask:
    """A task's config and all that is wrong with the task; `config` is then what is left without that."""

    config: RunConfig
    problems: tuple[str, ...]
    _code: TaskCode
    _folder: Path
    _routers: Routers | None
    read: ReadData | None = None
    """Its data, where that is little."""

    @property
    def leaves_routers_open(self) -> bool:
        """Whether a launch may still be refused for its routers, which nobody here knows."""
        architect = self._code.registry.architect(self.config.architect.type)
        return self._routers is None and architect.uses_known_routers

    def forget(self) -> None:
        """Let the author's code go; nothing of the task can be asked afterwards."""
        self._code.forget()

    def plan(self, label: str) -> Plan:
        """What would run under this label. Only for a task without problems."""
        config = self.config
        units, more = self._units()
        return Plan(
            name=config.name,
            label=label,
            blueprint=config.blueprint.type,
            provider=config.provider.type,
            sandbox=self._code.registry.provider(config.provider.type).sandbox,
            architect=config.architect.type,
            units=units,
            units_more=more,
            reward=config.pay.reward,
            pay_total=None if units is None else f"{units * config.pay_cents / 100:.2f}",
            address=self._address(label),
            warnings=self.warnings(),
        )

    def document(self) -> dict[str, Any]:
        """The config as it is kept with a run. Only for a task without problems."""
        return config_to_json(self.config, self._code.registry)

    def queue(self) -> QueueOrder:
        """How storage is to keep its free units. Only for a task without problems."""
        return queue_of(self.config.choice, self._code.blueprint(self.config, self._folder).live)

    def warnings(self) -> list[str]:
        """What may be meant so, and hardly is. Only for a task without problems."""
        blueprint = self._code.blueprint(self.config, self._folder)
        warnings = [*hook_warnings(self.config, self._code.module, blueprint), *blueprint.warnings()]
        return [*warnings, ROUTERS_OPEN] if self.leaves_routers_open else warnings

    def _units(self) -> tuple[int | None, bool]:
        blueprint = self._code.blueprint(self.config, self._folder)
        if blueprint.material.make_rows is not None:
            return None, True
        rows = blueprint.rows()
        units = sum(len(row.unit_data) for row in itertools.islice(rows, ROWS_COUNTED_MAX))
        return units, next(rows, None) is not None

    def _address(self, label: str) -> str:
        if self._routers is None:
            return ""
        architect = self._code.registry.architect(self.config.architect.type)
        ground = Ground(self._routers, label, self.config.shared_origin)
        return architect.address(self.config.architect.options, ground)


def check_task(
    registry: Registry, folder: Path, overrides: Mapping[str, str], routers: Routers | None = None
) -> CheckedTask:
    """Judge config, data, pages and routers of the folder as a launch does; runs its task.py.

    Without `routers`, whether its routers can be had is left open: only the daemon knows them.
    LaunchRefused: so much is wrong that there is no config.
    """
    try:
        code = task_code(registry, folder)
        document, faults = read_document(folder, overrides)
    except (TaskCodeFailed, BrokenPlugIn) as exc:
        raise LaunchRefused([f"task.py: {exc}", *_faults_without_code(registry, folder, overrides)]) from exc
    except ConfigRefused as exc:
        raise LaunchRefused(exc.problems) from exc
    try:
        config = structure_config(document, code.registry, faults)
        rest = Rest(config)
    except ConfigRefused as exc:
        faults = exc.problems
        found = rest_of(document, code.registry, faults)
        if found is None:
            raise LaunchRefused(faults) from exc
        rest = found
    blueprint, found_wrong = _judged_blueprint(rest, code, folder)
    problems = (*faults, *found_wrong, *_judged(rest, code, folder, routers))
    read = None if blueprint is None else blueprint.checked_data
    return CheckedTask(rest.config, problems, code, folder, routers, read)


@attrs.frozen
class Launchable:
    """A task without problems: what is stored of it."""

    config: RunConfig
    document: dict[str, Any]
    """The same, as it is kept with the run."""
    queue: QueueOrder
    read: ReadData | None
    """Its data, where that is little: whoever launches it need not read it again."""
    warnings: tuple[str, ...] = ()
    """What may be meant so, and hardly is."""


def launchable(
    registry: Registry, folder: Path, overrides: Mapping[str, str], routers: Routers | None = None
) -> Launchable:
    """A task folder that can be launched; LaunchRefused says everything that is wrong with it."""
    task = check_task(registry, folder, overrides, routers)
    try:
        if task.problems:
            raise LaunchRefused(task.problems)
        return Launchable(task.config, task.document(), task.queue(), task.read, tuple(task.warnings()))
    finally:
        task.forget()


def numbered_label(name: str, number: int) -> str:
    """A label from a task's name: `digits`, `digits-2`, ...; at most 40 characters."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-") or "run"
    return slug if number == 1 else f"{slug}-{number}"


def _judged_blueprint(rest: Rest, code: TaskCode, folder: Path) -> tuple[Blueprint | None, list[str]]:
    """The blueprint, if it can be made, and what is wrong with data, pages and what goes by them."""
    problems: list[str] = []
    if not rest.holds("blueprint"):
        return None, problems
    try:
        blueprint = code.blueprint(rest.config, folder)
        problems += blueprint.check()
        if rest.holds(*SECTIONS, "choice"):
            problems += hook_faults(rest.config, code.module, blueprint, folder)
        if rest.holds("choice", "limits") and blueprint.live is not None:
            problems += group_faults(rest.config, blueprint.live.group)
        if rest.holds("choice") and not problems and blueprint.material.make_rows is None:
            problems += order_faults(rest.config.choice, blueprint.rows())
    except (BlueprintFault, UnknownPlugIn, BrokenPlugIn) as exc:
        return None, [*problems, str(exc)]
    return blueprint, problems


def _judged(rest: Rest, code: TaskCode, folder: Path, routers: Routers | None) -> list[str]:
    """What the other plug-ins find wrong, as far as what they look at is not wrong already."""
    problems: list[str] = []
    if rest.holds("provider"):
        provider = code.registry.provider(rest.config.provider.type)
        problems += provider.check(rest.config.provider.options, folder)
    if routers is not None and rest.holds("architect", "label", "name", "shared_origin"):
        config = rest.config
        ground = Ground(routers, config.label or numbered_label(config.name, 1), config.shared_origin)
        architect = code.registry.architect(config.architect.type)
        problems += architect.check(config.architect.options, ground)
    return problems


def _faults_without_code(registry: Registry, folder: Path, overrides: Mapping[str, str]) -> list[str]:
    """What is wrong with task.toml whatever task.py would have brought."""
    try:
        document, faults = read_document(folder, overrides)
        structure_config(document, registry, faults)
    except ConfigRefused as exc:
        tables = tuple(f"{kind.value}." for kind in Kind)
        return [problem for problem in exc.problems if not problem.startswith(tables)]
    return []
