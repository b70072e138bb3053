"""Turns a task folder into a stored run, or says everything that is wrong with it. Holds no run."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..protocol.names import RunId
from ..storage.contract import NewRun
from ..storage.errors import Duplicate, InvalidRecord, NotFound
from ..storage.records import TaskRun
from .admission import unknown_names
from .blueprints.contract import ReadData
from .checking import CheckedTask, Launchable, LaunchRefused, Plan, check_task, launchable, numbered_label
from .house import House
from .registry import Registry
from .structuring import near_name, shown
from .task_config import ConfigRefused, RunConfig
from .task_folder import TaskRefused
from .task_options import FolderOptions, folder_options
from .task_store import keep_task
from .user_code import UserCodeFailed

T = TypeVar("T")
Warn = Callable[[Sequence[str]], object]
KEY_BYTES = 32
LABELS_TRIED_MAX = 1000  # runs of one task that are kept at a time; labels of ended runs stay taken


def no_one(warnings: Sequence[str]) -> None:
    """Whom a launch warns when nobody asked."""


class Launcher:
    """Stores launches. The files of a task are kept before its run is stored: no run is without them."""

    def __init__(self, house: House, registry: Registry) -> None:
        self._house = house
        self._registry = registry
        self._read: tuple[RunId, ReadData] | None = None

    async def store(
        self, folder: Path, overrides: Mapping[str, str], launch_id: str, who: str, warn: Warn = no_one
    ) -> TaskRun:
        """The stored run of the task in `folder`; the same `launch_id` again is the same run.

        `warn` is told, once it is stored, what in the task may be meant so, and hardly is.
        LaunchRefused: nothing was stored. Cancelled: stored whole, or not at all.
        """
        task = await self._loaded(launchable, self._registry, folder, dict(overrides), self._house.routers)
        if unknown := await self._unknown_qualifications(task.config):
            raise LaunchRefused(unknown)
        try:
            await self._house.user_code.off_loop(keep_task, folder, self._house.task_folder(launch_id))
        except TaskRefused as exc:
            raise LaunchRefused([str(exc)]) from exc
        run = await self._create(task, launch_id, who)
        if run.deleting:
            raise LaunchRefused([f"launch_id: run {run.label!r} of this launch is being deleted"])
        self._keep_read(run, task)
        warn(task.warnings)
        return run

    def _keep_read(self, run: TaskRun, task: Launchable) -> None:
        """Of a new run whose rows are all made at once: others would hold theirs for long."""
        if task.read is not None and not run.rows_made and not task.config.limits.max_num_concurrent_units:
            self._read = (run.id, task.read)

    def take_read(self, run_id: RunId) -> ReadData | None:
        """The data of the run as its launch has read it, once, unless another was launched since."""
        if self._read is None or self._read[0] != run_id:
            return None
        (_, read), self._read = self._read, None
        return read

    async def plan(self, folder: Path, overrides: Mapping[str, str]) -> Plan:
        """What `store` would launch now. LaunchRefused: everything that is wrong; nothing is stored."""
        task = await self._loaded(check_task, self._registry, folder, dict(overrides), self._house.routers)
        try:
            return await self._loaded(task.plan, await self._label_for(task))
        finally:
            task.forget()

    async def options(self, folder: Path) -> FolderOptions:
        """What can be set for the task in `folder`; runs its task.py. ConfigRefused."""
        try:
            return await self._house.user_code.load(folder_options, self._registry, folder)
        except UserCodeFailed as exc:
            raise ConfigRefused([f"task.py: {exc}"]) from exc

    async def _loaded(self, read: Callable[..., T], *args: Any) -> T:
        try:
            return await self._house.user_code.load(read, *args)
        except UserCodeFailed as exc:
            raise LaunchRefused([f"task.py: {exc}"]) from exc

    async def _label_for(self, task: CheckedTask) -> str:
        """The label that it would get. LaunchRefused, with all that is wrong with the task."""
        unknown = await self._unknown_qualifications(task.config)
        problems, label = [*task.problems, *unknown], task.config.label
        if label and await self._is_taken(label):
            problems.append(_taken(label))
        if problems:
            raise LaunchRefused(problems)
        return label or await self._free_label(task.config.name)

    async def _unknown_qualifications(self, config: RunConfig) -> list[str]:
        """Requirements of what nobody can have: a slip in a name must not open the task, or close it."""
        known = [each.name for each in await self._house.storage.qualifications()]
        own = config.admission.made_qualifications()
        unknown = unknown_names(config.admission.requirements, known, own)
        return [f"qualifications: {shown(name)} is none; {_made(name, known)}" for name in unknown]

    async def _is_taken(self, label: str) -> bool:
        try:
            await self._house.storage.run_by_label(label)
        except NotFound:
            return False
        return True

    async def _free_label(self, name: str) -> str:
        return numbered_label(name, await self._free_number(name))

    async def _free_number(self, name: str) -> int:
        """One whose label is free, right after one that is taken: sought by halves, among however many."""
        taken, free = 0, 1
        while await self._is_taken(numbered_label(name, free)):
            if free == LABELS_TRIED_MAX:
                raise LaunchRefused([_taken(numbered_label(name, free))])
            taken, free = free, min(2 * free, LABELS_TRIED_MAX)
        while free - taken > 1:
            middle = (taken + free) // 2
            if await self._is_taken(numbered_label(name, middle)):
                taken = middle
            else:
                free = middle
        return free

    async def _create(self, task: Launchable, launch_id: str, who: str) -> TaskRun:
        config = task.config
        own = config.admission.made_qualifications()
        await self._house.storage.ensure_qualifications(own, self._house.wall())
        key = self._house.rng.randbytes(KEY_BYTES)
        label = config.label
        first = 1 if label else await self._free_number(config.name)
        for number in range(first, LABELS_TRIED_MAX + 1):  # others launch meanwhile
            label = config.label or numbered_label(config.name, number)
            try:
                return await self._house.storage.create_run(
                    self._new_run(task, launch_id, label, key), self._house.wall(), who
                )
            except InvalidRecord as exc:
                raise LaunchRefused([str(exc)]) from exc
            except Duplicate:
                if config.label:
                    break
        raise LaunchRefused([_taken(label)])

    def _new_run(self, task: Launchable, launch_id: str, label: str, key: bytes) -> NewRun:
        config = task.config
        return NewRun(
            task_name=config.task,
            requester_name=config.requester,
            launch_id=launch_id,
            label=label,
            blueprint=config.blueprint.type,
            provider=config.provider.type,
            architect=config.architect.type,
            sandbox=config.provider.sandbox,
            config=task.document,
            key=key,
            project_name=config.project,
            queue=task.queue,
        )


def _made(name: str, known: Sequence[str]) -> str:
    if (near := near_name(name, known)) is not None:
        return f"did you mean {shown(near)}?"
    return f'make it first: crowdctl qualifications create "{name}"'


def _taken(label: str) -> str:
    return f"label: {label!r} is taken by another run; choose another"
