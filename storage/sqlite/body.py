"""What the SQLite storage's parts share: an engine, and helpers to look records up or fail."""

from typing import TypeVar

from ...protocol.names import AgentId, RunId, UnitId
from ..contract import Storage
from ..records import Agent, Assignment, TaskRun, Unit
from ..rules import found
from ..sql import statements
from .ask import Db, one
from .engine import Engine

R = TypeVar("R")


class SqliteBody(Storage):
    """Storage on an engine; every method that writes is one function run by `engine.write`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.epoch = engine.epoch


def the_run(db: Db, run_id: RunId) -> TaskRun:
    """The run, or NotFound."""
    return found(one(db, TaskRun, statements.RUN, id=run_id), "run", run_id)


def the_assignment(db: Db, assignment_id: int) -> Assignment:
    """The assignment, or NotFound."""
    return found(one(db, Assignment, statements.ASSIGNMENT, id=assignment_id), "assignment", assignment_id)


def the_unit(db: Db, unit_id: UnitId) -> Unit:
    """The unit, or NotFound."""
    return found(one(db, Unit, statements.UNIT, id=unit_id), "unit", unit_id)


def the_agent(db: Db, agent_id: AgentId) -> Agent:
    """The agent, or NotFound."""
    return found(one(db, Agent, statements.AGENT, id=agent_id), "agent", agent_id)
