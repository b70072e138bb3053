"""Requesters, projects and tasks in SQLite: what runs are of, and found or made by name for each new run."""

import attrs

from .. import rules
from ..contract import NewRun
from ..errors import Duplicate, InvalidRecord
from ..records import Project, Requester, Task
from ..sql import statements
from .ask import Db, add, every, one, save, value
from .body import SqliteBody


class SqliteTasks(SqliteBody):
    """What `Storage` says about requesters, projects and tasks."""

    async def create_requester(self, name: str, provider: str) -> Requester:
        return await self._engine.write(_add_requester, name, provider)

    async def create_project(self, name: str) -> Project:
        return await self._engine.write(_add_project, name)

    async def create_task(self, name: str, blueprint: str, project_id: int | None) -> Task:
        return await self._engine.write(_add_task, name, blueprint, project_id)

    async def update_task(self, task_id: int, name: str, project_id: int | None) -> Task:
        return await self._engine.write(_update_task, task_id, name, project_id)

    async def requesters(self) -> list[Requester]:
        return await self._engine.read_long(every, Requester, statements.select(Requester, "ORDER BY id"))

    async def projects(self) -> list[Project]:
        return await self._engine.read_long(every, Project, statements.select(Project, "ORDER BY id"))

    async def tasks(self) -> list[Task]:
        return await self._engine.read_long(every, Task, statements.select(Task, "ORDER BY id"))

    async def task(self, task_id: int) -> Task:
        return await self._engine.read(_the_task, task_id)


def _add_requester(db: Db, name: str, provider: str) -> Requester:
    rules.check_name("requester", name)
    if one(db, Requester, statements.REQUESTER_OF_NAME, name=name):
        raise Duplicate(f"there is a requester {name!r}")
    requester = Requester(0, name, provider)
    return attrs.evolve(requester, id=add(db, requester))


def _add_project(db: Db, name: str) -> Project:
    rules.check_project_name(name)
    if one(db, Project, statements.PROJECT_OF_NAME, name=name):
        raise Duplicate(f"there is a project {name!r}")
    project = Project(0, name)
    return attrs.evolve(project, id=add(db, project))


def _add_task(db: Db, name: str, blueprint: str, project_id: int | None) -> Task:
    _check_task(db, name, project_id)
    task = Task(0, name, blueprint, project_id)
    return attrs.evolve(task, id=add(db, task))


def _update_task(db: Db, task_id: int, name: str, project_id: int | None) -> Task:
    task = _the_task(db, task_id)
    if value(db, statements.ANY_RUN_OF_TASK, task_id=task_id) is not None:
        raise InvalidRecord(f"task {task_id} has runs: it keeps its name and project")
    _check_task(db, name, project_id, itself=task)
    changed = attrs.evolve(task, name=name, project_id=project_id)
    save(db, statements.SAVE_TASK, changed)
    return changed


def _check_task(db: Db, name: str, project_id: int | None, itself: Task | None = None) -> None:
    rules.check_name("task", name)
    if project_id is not None and one(db, Project, statements.PROJECT, id=project_id) is None:
        raise InvalidRecord(f"no project {project_id}")
    if one(db, Task, statements.TASK_OF_NAME, name=name) not in (None, itself):
        raise Duplicate(f"there is a task {name!r}")


def _the_task(db: Db, task_id: int) -> Task:
    return rules.found(one(db, Task, statements.TASK, id=task_id), "task", task_id)


def requester_of(db: Db, new: NewRun) -> int:
    """The number of a new run's requester, who is made if there is none of the name."""
    known = one(db, Requester, statements.REQUESTER_OF_NAME, name=new.requester_name)
    if known is None:
        return _add_requester(db, new.requester_name, new.provider).id
    rules.check_requester_fits(known, new)
    return known.id


def task_of(db: Db, new: NewRun) -> int:
    """The number of a new run's task, which is made, with its project, if there is none of the name."""
    project_id = _project_of(db, new.project_name)
    known = one(db, Task, statements.TASK_OF_NAME, name=new.task_name)
    if known is None:
        return _add_task(db, new.task_name, new.blueprint, project_id).id
    rules.check_task_fits(known, new, project_id)
    return known.id


def _project_of(db: Db, name: str | None) -> int | None:
    if name is None:
        return None
    known = one(db, Project, statements.PROJECT_OF_NAME, name=name)
    return known.id if known else _add_project(db, name).id
