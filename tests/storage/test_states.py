"""What the tables themselves hold about states, whatever writes to them."""

import sqlite3
from collections.abc import AsyncGenerator

import pytest

from crowdd.protocol.names import AgentStatus, UnitStatus
from crowdd.storage.records import Agent
from crowdd.storage.rules import NEEDS_AGENT, NEEDS_NO_AGENT
from crowdd.storage.sql import statements
from crowdd.storage.sqlite import SqliteStorage
from crowdd.storage.sqlite.connecting import open_writer
from crowdd.storage.sqlite.engine import Inline

from .world import World

OF_A_VISIT = {
    "insert agent": statements.insert(Agent),
    "save agent": statements.SAVE_AGENT,
    "save unit": statements.SAVE_UNIT,
}


@pytest.fixture
async def db() -> AsyncGenerator[sqlite3.Connection]:
    """A run with a free unit, and one in the hands of an agent."""
    writer = open_writer(None)
    world = World(SqliteStorage(Inline(writer)))
    await world.take(await world.run(assignments=2), await world.worker())
    yield writer.db
    writer.close()


@pytest.mark.parametrize("table", ["agent", "unit"])
async def test_there_are_no_other_states(db: sqlite3.Connection, table: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        db.execute(f"UPDATE {table} SET status = 'nonsense'")


@pytest.mark.parametrize("status", AgentStatus)
async def test_an_agent_may_have_every_status(db: sqlite3.Connection, status: AgentStatus) -> None:
    db.execute("UPDATE agent SET status = ?", (status.value,))


@pytest.mark.parametrize("status", UnitStatus)
@pytest.mark.parametrize("held", [False, True])
async def test_whether_a_unit_has_an_agent_fits_its_status(
    db: sqlite3.Connection, status: UnitStatus, held: bool
) -> None:
    fits = status not in (NEEDS_NO_AGENT if held else NEEDS_AGENT)
    try:
        db.execute("UPDATE unit SET status = ? WHERE (agent_id IS NOT NULL) = ?", (status.value, held))
    except sqlite3.IntegrityError:
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize("name", OF_A_VISIT)
async def test_no_table_is_made_to_look_at_a_state(db: sqlite3.Connection, name: str) -> None:
    statement = OF_A_VISIT[name]
    named = dict.fromkeys((word.strip("(),")[1:] for word in statement.split() if ":" in word), 1)
    steps = {row[1] for row in db.execute(f"EXPLAIN {statement}", named)}
    assert "OpenEphemeral" not in steps
