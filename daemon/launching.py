"""Turns a task folder into a stored run, or says everything that is wrong with it. Holds no run."""

import re
from collections.abc import Mapping
from pathlib import Path

from ..storage.contract import Duplicate, InvalidRecord, NewRun
from ..storage.records import TaskRun
from .architects.contract import Ground
from .blueprints.contract import BlueprintFault
from .house import House
from .parts import task_code
from .registry import BrokenPlugIn, Registry
from .routers import Routers
from .task_config import ConfigRefused, RunConfig, config_to_json, load_config
from .task_folder import TaskCodeFailed, TaskRefused
from .task_store import keep_task

KEY_BYTES = 32
LABELS_TRIED_MAX = 1000  # runs of one task that are kept at a time; labels of ended runs stay taken


class LaunchRefused(Exception):
    """Nothing was launched; `problems` says everything that is wrong, one "path: what" each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Launcher:
    """Stores launches. The files of a task are kept before its run is stored: no run is without them."""

    def __init__(self, house: House, registry: Registry) -> None:
        self._house = house
        self._registry = registry

    async def store(self, folder: Path, overrides: Mapping[str, str], launch_id: str, who: str) -> TaskRun:
        """The stored run of the task in `folder`; the same `launch_id` again is the same run.

        LaunchRefused: nothing was stored. Cancelled: stored whole, or not at all.
        """
        off_loop = self._house.user_code.off_loop
        config = await off_loop(checked_config, self._registry, folder, dict(overrides), self._house.routers)
        try:
            await off_loop(keep_task, folder, self._house.task_folder(launch_id))
        except TaskRefused as exc:
            raise LaunchRefused([str(exc)]) from exc
        return await self._create(config, launch_id, who)

    async def _create(self, config: RunConfig, launch_id: str, who: str) -> TaskRun:
        key = self._house.rng.randbytes(KEY_BYTES)
        label = config.label
        for number in range(1, LABELS_TRIED_MAX):
            label = config.label or numbered_label(config.name, number)
            try:
                return await self._house.storage.create_run(
                    self._new_run(config, launch_id, label, key), self._house.wall(), who
                )
            except InvalidRecord as exc:
                raise LaunchRefused([str(exc)]) from exc
            except Duplicate:
                if config.label:
                    break
        raise LaunchRefused([f"label: {label!r} is taken by another run; choose another"])

    def _new_run(self, config: RunConfig, launch_id: str, label: str, key: bytes) -> NewRun:
        return NewRun(
            task_name=config.task,
            requester_name=config.requester,
            launch_id=launch_id,
            label=label,
            blueprint=config.blueprint.type,
            provider=config.provider.type,
            architect=config.architect.type,
            sandbox=config.provider.sandbox,
            config=config_to_json(config),
            key=key,
            project_name=config.project,
        )


def checked_config(
    registry: Registry, folder: Path, overrides: Mapping[str, str], routers: Routers | None = None
) -> RunConfig:
    """The config of a task folder that can be launched; LaunchRefused says everything that is wrong.

    Without `routers`, whether its routers can be had is left open: only the daemon knows them.
    """
    try:
        code = task_code(registry, folder)
        config = load_config(folder, overrides, code.registry)
        problems = code.blueprint(config, folder).check()
        provider = code.registry.provider(config.provider.type)
        problems = [*problems, *provider.check(config.provider.options, folder)]
        if routers is not None:
            ground = Ground(routers, config.label or numbered_label(config.name, 1), config.shared_origin)
            architect = code.registry.architect(config.architect.type)
            problems = [*problems, *architect.check(config.architect.options, ground)]
    except ConfigRefused as exc:
        raise LaunchRefused(exc.problems) from exc
    except (TaskCodeFailed, BrokenPlugIn, BlueprintFault) as exc:
        raise LaunchRefused([str(exc)]) from exc
    if problems:
        raise LaunchRefused(problems)
    return config


def numbered_label(name: str, number: int) -> str:
    """A label from a task's name: `digits`, `digits-2`, ...; at most 40 characters."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-") or "run"
    return slug if number == 1 else f"{slug}-{number}"
