"""Every statement by name, with named parameters. What selects a record gives its columns in their order."""

import functools

from ...protocol.names import LIVE_AGENT, PieceKind
from ..records import (
    AddedRows,
    Agent,
    Assignment,
    AuditRow,
    Decision,
    Grant,
    HistoryEntry,
    JournalEntry,
    LateAnswer,
    LiveUpdate,
    Metadata,
    OnboardingAgent,
    Owed,
    PageError,
    Project,
    Qualification,
    Requester,
    Review,
    Submission,
    Task,
    TaskRun,
    Unit,
    Worker,
)
from ..rows import columns
from ..rules import HELD_OR_DONE
from .schema import listed

TABLES: dict[type, str] = {
    AddedRows: "added_rows",
    Agent: "agent",
    Assignment: "assignment",
    AuditRow: "audit",
    Decision: "decision",
    Grant: "granted",
    HistoryEntry: "history",
    JournalEntry: "journal_entry",
    LateAnswer: "late_answer",
    LiveUpdate: "live_update",
    Metadata: "metadata",
    OnboardingAgent: "onboarding_agent",
    Owed: "owed",
    PageError: "page_error",
    Project: "project",
    Qualification: "qualification",
    Requester: "requester",
    Review: "review",
    Submission: "submission",
    Task: "task",
    TaskRun: "task_run",
    Unit: "unit",
    Worker: "worker",
}


def select(cls: type, rest: str = "") -> str:
    """Whole records of a class."""
    names = ", ".join(_quoted(column.name) for column in columns(cls))
    return f"SELECT {names} FROM {TABLES[cls]} {rest}".rstrip()  # noqa: S608 - only names from our classes


def select_both(cls: type, other: type, join: str, rest: str) -> str:
    """Whole records of a class, each with the one of another that `join` names."""
    names = f"{_columns_of(cls)}, {_columns_of(other)}"
    return f"SELECT {names} FROM {TABLES[cls]} JOIN {TABLES[other]} ON {join} {rest}"  # noqa: S608 - as above


def _columns_of(cls: type) -> str:
    return ", ".join(f"{TABLES[cls]}.{column.name}" for column in columns(cls))


def free_units(where: str, order: str = "") -> str:
    """Those of the units that are free for a worker, each with its assignment."""
    free = f"unit.run_id = :run_id AND unit.status = 'launched' AND {where}{_NOT_WORKED_ON}"
    return select_both(
        Unit, Assignment, "assignment.id = unit.assignment_id", f"WHERE {free} {order}"
    ).rstrip()


@functools.cache
def insert(cls: type) -> str:
    """A new record; its `id`, where it has one, is given by the database."""
    names = [column.name for column in columns(cls) if column.name != "id"]
    targets, values = ", ".join(map(_quoted, names)), ", ".join(f":{name}" for name in names)
    return f"INSERT INTO {TABLES[cls]} ({targets}) VALUES ({values})"  # noqa: S608 - only names from our classes


@functools.cache
def insert_values(cls: type, records: int = 1) -> str:
    """So many of them with their values in their order: SQLite looks for each that has a name, one by one."""
    names = [_quoted(column.name) for column in columns(cls) if column.name != "id"]
    values = ", ".join([f"({', '.join('?' * len(names))})"] * records)
    return f"INSERT INTO {TABLES[cls]} ({', '.join(names)}) VALUES {values}"  # noqa: S608 - only our names


def insert_as(cls: type) -> str:
    """A new record under a number of our choice."""
    names = [column.name for column in columns(cls)]
    targets, values = ", ".join(map(_quoted, names)), ", ".join(f":{name}" for name in names)
    return f"INSERT INTO {TABLES[cls]} ({targets}) VALUES ({values})"  # noqa: S608 - only names from our classes


def update(cls: type, *names: str) -> str:
    """The named columns of the record with this `id`."""
    changes = ", ".join(f"{name} = :{name}" for name in names)
    return f"UPDATE {TABLES[cls]} SET {changes} WHERE id = :id"  # noqa: S608 - only names from our classes


def page(cls: type, equal: tuple[str, ...], states: int) -> str:
    """The next records by id, of those with these columns as given and `status` one of so many."""
    # With a +, no index: SQLite would go through a whole run by id to find the few units of an assignment.
    wide = "+" if "assignment_id" in equal else ""
    columns_given = (f"{name if name == 'assignment_id' else wide + name} = :{name}" for name in equal)
    parts = [f"{wide}id > :after_id", *columns_given]
    if states:
        state = "state" if cls is TaskRun else "status"
        parts.append(f"{state} IN ({', '.join(f':state_{index}' for index in range(states))})")
    return select(cls, f"WHERE {' AND '.join(parts)} ORDER BY {wide}id LIMIT :limit")


def _quoted(name: str) -> str:
    return f'"{name}"' if name == "update" else name  # the one of our words that SQL keeps for itself


# --- the lease

EPOCH = "SELECT epoch FROM lease WHERE id = 1"
TAKE_LEASE = """
INSERT INTO lease (id, epoch, holder) VALUES (1, :epoch, :holder)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, holder = excluded.holder"""

HOLDER = "SELECT holder FROM lease WHERE id = 1"
NAME_HOLDER = "UPDATE lease SET holder = :holder WHERE id = 1"
RENEW_LEASE = "UPDATE lease SET holder = holder WHERE id = 1"

# --- runs and what they are made of

REQUESTER_OF_NAME = select(Requester, "WHERE name = :name")
PROJECT = select(Project, "WHERE id = :id")
PROJECT_OF_NAME = select(Project, "WHERE name = :name")
TASK = select(Task, "WHERE id = :id")
TASK_OF_NAME = select(Task, "WHERE name = :name")
SAVE_TASK = update(Task, "name", "project_id")
ANY_RUN_OF_TASK = "SELECT id FROM task_run WHERE task_id = :task_id LIMIT 1"
RUN = select(TaskRun, "WHERE id = :id")
RUN_OF_LAUNCH = select(TaskRun, "WHERE launch_id = :launch_id")
RUN_OF_LABEL = select(TaskRun, "WHERE label = :label")
SAVE_RUN = update(TaskRun, "state", "trouble", "rows_made", "rows_done", "ended_at")
SAVE_TERMS = update(TaskRun, "config", "paused", "rows_done")
SAVE_DELETING = update(TaskRun, "deleting")
RUN_NUMBER_MAX = "SELECT MAX(id) FROM task_run"
DELETED_NUMBER_MAX = "SELECT MAX(subject_id) FROM history WHERE kind = 'deletion'"
SET_PAY = "UPDATE unit SET pay_cents = :pay_cents WHERE run_id = :run_id AND status = 'created'"
ROWS_OF_REQUEST = select(AddedRows, "WHERE request_id = :request_id")
ADDED_ROWS = select(AddedRows, "WHERE run_id = :run_id ORDER BY id")
TAKE_POSITIONS = """
UPDATE task_run SET next_position = next_position + :number WHERE id = :run_id
RETURNING next_position - :number"""
COUNT = """
INSERT INTO run_count (run_id, kind, status, number) VALUES (:run_id, :kind, :status, :number)
ON CONFLICT (run_id, kind, status) DO UPDATE SET number = run_count.number + excluded.number"""
COUNTS = "SELECT kind, status, number FROM run_count WHERE run_id = :run_id"
COUNTS_OF_RUNS = "SELECT run_id, kind, status, number FROM run_count WHERE run_id BETWEEN :first AND :last"
ASSIGNMENT = select(Assignment, "WHERE id = :id")
UNIT = select(Unit, "WHERE id = :id")
UNIT_IN_QUEUE = f"""
SELECT {_columns_of(Unit)}, task_run.queue, task_run.next_position
FROM unit JOIN task_run ON task_run.id = unit.run_id WHERE unit.id = :id"""  # noqa: S608 - as in `select`
UNITS_OF_ASSIGNMENT_COUNT = "SELECT COUNT(*) FROM unit WHERE assignment_id = :assignment_id"
ASSIGNMENTS_FROM = """
SELECT id FROM assignment WHERE run_id = :run_id AND row >= :row AND row >= 0 ORDER BY row"""
SAVE_UNIT = update(Unit, "status", "position", "agent_id", "worker_id", "rank")
OTHERS_ASSIGNED = """
SELECT COUNT(*) FROM unit WHERE assignment_id = :assignment_id AND id <> :id AND status = 'assigned'"""
RANK_OTHERS_LEFT = """
UPDATE unit SET rank = :rank
WHERE assignment_id = :assignment_id AND id <> :id AND (status = 'created' OR status = 'launched')"""
LOWEST_LEFT = select(
    Unit,
    """WHERE assignment_id = :assignment_id AND rank > 0 AND (status = 'created' OR status = 'launched')
ORDER BY rank LIMIT 1""",
)
_WAITING = "FROM unit WHERE run_id = :run_id AND status = 'created' ORDER BY rank, position LIMIT :limit"
WAITING_UNITS = f"SELECT id {_WAITING}"
LAUNCH_UNITS = f"""
UPDATE unit SET status = 'launched', position = :first + turn.number
FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY rank, position) - 1 AS number {_WAITING}) AS turn
WHERE unit.id = turn.id
RETURNING {_columns_of(Unit)}"""  # noqa: S608 - as in `select`
UNITS_TO_EXPIRE = select(
    Unit, "WHERE run_id = :run_id AND (status = 'created' OR status = 'launched') ORDER BY id"
)
NOTE_MADE_UNITS = """
INSERT INTO history (at, who, kind, subject_id, run_id, before, after, why)
SELECT :at, :who, 'unit', id, run_id, :before, :after, :why FROM unit
WHERE assignment_id BETWEEN :first AND :last ORDER BY assignment_id, unit_index"""
UNIT_NUMBERS = """
SELECT id FROM unit WHERE assignment_id BETWEEN :first AND :last ORDER BY assignment_id, unit_index"""

NOTE_EACH = """
INSERT INTO history (at, who, kind, subject_id, run_id, before, after, why)
SELECT :at, :who, :kind, value, :run_id, :before, :after, :why FROM json_each(:subjects)"""

# --- reserving

RUN_FOR_WORKER = "SELECT task_id, state, paused, queue FROM task_run WHERE id = :run_id"
RUN_AND_WORKER = """
SELECT task_id, state, paused, queue, worker.blocked
FROM task_run LEFT JOIN worker ON worker.id = :worker_id WHERE task_run.id = :run_id"""
HELD_IN_RUN = """
SELECT COUNT(*) FROM unit WHERE worker_id = :worker_id AND run_id = :run_id AND status = 'assigned'"""
COUNTED_IN_TASK = "SELECT units FROM task_worker WHERE task_id = :task_id AND worker_id = :worker_id"
RUN_FOR_RESERVATION = f"""
SELECT task_id, state, paused, queue, worker.blocked,
  (SELECT agent.id FROM agent
   WHERE agent.run_id = task_run.id AND agent.link = :link AND agent.after = :after),
  CASE WHEN :limited THEN ({HELD_IN_RUN}) ELSE 0 END,
  (SELECT task_worker.units FROM task_worker
   WHERE task_worker.task_id = task_run.task_id AND task_worker.worker_id = :worker_id)
FROM task_run LEFT JOIN worker ON worker.id = :worker_id WHERE task_run.id = :run_id"""  # noqa: S608 - ours
COUNT_IN_TASK = """
INSERT INTO task_worker (task_id, worker_id, units)
SELECT task_id, :worker_id, :number FROM task_run WHERE id = :run_id
ON CONFLICT (task_id, worker_id) DO UPDATE SET units = task_worker.units + excluded.units"""
_NOT_WORKED_ON = """
  AND NOT EXISTS (SELECT 1 FROM worked
                  WHERE worked.worker_id = :worker_id AND worked.assignment_id = unit.assignment_id)"""
# Without ranks the worker's cursor is the place of the unit they took last. All places before it that were
# free then were theirs already, and what becomes free later gets a place behind: so the cursor never has to
# go back, and what is stepped over are at most the other units of the assignments taken last. With ranks a
# place before may become free again, and the others of all assignments worked on are stepped over.
CURSOR = "SELECT position FROM worker_cursor WHERE worker_id = :worker_id AND run_id = :run_id"
FREE_UNIT = free_units(
    """unit.rank = 0
  AND unit.position > COALESCE((SELECT last.position FROM worker_cursor AS last
                                WHERE last.worker_id = :worker_id AND last.run_id = :run_id), 0)""",
    "ORDER BY unit.position LIMIT 1",
)
FIRST_RANKED_UNIT = free_units("TRUE", "ORDER BY unit.rank, unit.position LIMIT 1")
FREE_UNITS_BEHIND = free_units(
    "(unit.rank, unit.position) > (:rank, :position)", "ORDER BY unit.rank, unit.position LIMIT :limit"
)
FREE_CANDIDATE = free_units("unit.id = :id")
ADD_WORKED = "INSERT INTO worked (worker_id, assignment_id) VALUES (:worker_id, :assignment_id)"
DROP_WORKED = "DELETE FROM worked WHERE worker_id = :worker_id AND assignment_id = :assignment_id"
MOVE_CURSOR = """
INSERT INTO worker_cursor (worker_id, run_id, position) VALUES (:worker_id, :run_id, :position)
ON CONFLICT (worker_id, run_id) DO UPDATE SET position = excluded.position"""
FREE_UNITS_COUNT = """
SELECT number FROM run_count WHERE run_id = :run_id AND kind = 'unit' AND status = 'launched'"""
SPECIAL_UNITS_COUNT = "SELECT SUM(number) FROM run_count WHERE run_id = :run_id AND kind = :kind"
SPECIAL_UNITS_KEPT = f"{SPECIAL_UNITS_COUNT} AND status <> 'expired'"
GRANTS_BY_NAME = """
SELECT qualification.name, granted.value FROM granted
JOIN qualification ON qualification.id = granted.qualification_id
WHERE granted.worker_id = :worker_id"""
_UNITS_OF_RUN = """task_id, state, paused, queue,
  SUM(number) FILTER (WHERE kind = 'screening' AND status <> 'expired'),
  SUM(number) FILTER (WHERE kind = 'gold' AND status <> 'expired'),
  SUM(number) FILTER (WHERE kind = 'unit' AND status = 'launched')"""
_COUNTED_RUN = """
FROM task_run LEFT JOIN run_count ON run_count.run_id = task_run.id
WHERE task_run.id = :run_id GROUP BY task_run.id"""
RUN_WITH_UNITS = f"SELECT {_UNITS_OF_RUN}{_COUNTED_RUN}"
"""With how many units there are of what is made for one worker, and how many free ones of the others."""
RUN_FOR_NEWCOMER = f"""SELECT {_UNITS_OF_RUN},
  EXISTS (SELECT 1 FROM agent WHERE agent.run_id = :run_id AND agent.link = :link)
    OR EXISTS (SELECT 1 FROM onboarding_agent AS other WHERE other.run_id = :run_id AND other.link = :link)
{_COUNTED_RUN}"""  # noqa: S608 - ours
"""The same, and whether the link led anybody anywhere."""
UNITS_OF_WORKER = f"SELECT ({HELD_IN_RUN}), ({COUNTED_IN_TASK})"
SPECIAL_DIGESTS = """
SELECT DISTINCT assignment.digest FROM agent
JOIN unit ON unit.id = agent.unit_id
JOIN assignment ON assignment.id = agent.assignment_id
WHERE agent.worker_id = :worker_id AND agent.run_id = :run_id AND unit.unit_index = :unit_index"""

# --- decisions

NEWEST_DECISION = select(
    Decision, "WHERE run_id = :run_id AND worker_id IS :worker_id ORDER BY id DESC LIMIT 1"
)
COUNT_DECISION = update(Decision, "count", "last_at")
DROP_OLD_DECISION = """
DELETE FROM decision WHERE id IN (
  SELECT id FROM decision
  WHERE run_id = :run_id AND worker_id IS :worker_id AND agent_id IS NULL AND onboarding_id IS NULL
  ORDER BY id DESC LIMIT 1 OFFSET :kept)"""

# --- agents and their answers

AGENT = select(Agent, "WHERE id = :id")
AGENT_OF_WIRE_ID = select(Agent, "WHERE wire_id = :wire_id")
AGENTS_AMONG = select(Agent, "WHERE wire_id IN (SELECT value FROM json_each(:wire_ids)) ORDER BY id")
AGENT_WITH_UNIT = select_both(Agent, Unit, "unit.id = agent.unit_id", "WHERE agent.wire_id = :wire_id")
AGENT_WITH_UNIT_IN_QUEUE = f"""
SELECT {_columns_of(Agent)}, {_columns_of(Unit)}, task_run.queue, task_run.next_position
FROM agent JOIN unit ON unit.id = agent.unit_id JOIN task_run ON task_run.id = unit.run_id
WHERE agent.wire_id = :wire_id"""  # noqa: S608 - as in `select`
# The plus keeps the database from going through all agents of the run, which it has in this order.
AGENTS_OF_LINK = select(Agent, "WHERE run_id = :run_id AND link = :link ORDER BY +id")
LAST_OF_LINK = select(
    Agent,
    """WHERE id = (SELECT MAX(+other.id) FROM agent AS other
            WHERE other.run_id = :run_id AND other.link = :link)""",
)
AGENTS_OF_ASSIGNMENT = select(Agent, "WHERE assignment_id = :assignment_id ORDER BY id")
HELD_UNITS = select(Unit, "WHERE worker_id = :worker_id AND status = 'assigned' ORDER BY id")
AGENTS_OF_WORKER = select(Agent, "WHERE worker_id = :worker_id AND +id > :after_id ORDER BY +id LIMIT :limit")
RESERVED_AGENTS = select(
    Agent,
    """WHERE id IN (SELECT agent_id FROM unit WHERE run_id = :run_id AND status = 'assigned')
ORDER BY id""",
)
SAVE_AGENT = update(Agent, "status", "version", "reason", "due_at", "ended_at")
SUBMISSION = select(Submission, "WHERE agent_id = :agent_id")
SUBMISSIONS_OF_RUN = select(
    Submission, "WHERE run_id = :run_id AND agent_id > :after_id ORDER BY agent_id LIMIT :limit"
)
LATE = select(LateAnswer, "WHERE id = :id")
LATE_OF_AGENT = select(LateAnswer, "WHERE agent_id = :agent_id ORDER BY id")
SAVE_LATE = update(LateAnswer, "owed_cents", "owed_note", "owed_by", "owed_at", "paid_at")
LATE_COUNT = "SELECT COUNT(*) FROM late_answer WHERE run_id = :run_id"
LATE_KNOWN = """
SELECT id FROM late_answer WHERE run_id = :run_id AND wire_id = :wire_id AND digest = :digest"""
SUBMISSIONS_COUNT = "SELECT COUNT(*) FROM submission WHERE run_id = :run_id"
LAST_SUBMITTED_AT = "SELECT MAX(submitted_at) FROM submission WHERE run_id = :run_id"
REVIEWS_OF_AGENT = select(Review, "WHERE agent_id = :agent_id ORDER BY id")

# --- what staff asked for

AUDIT_ROW = select(AuditRow, "WHERE id = :id")
END_AUDIT = update(AuditRow, "subject", "before", "after", "outcome")

# --- people

WORKER = select(Worker, "WHERE id = :id")
WORKER_OF_NAME = select(Worker, "WHERE provider = :provider AND name = :name")
WORKERS_OF_NAME = select(Worker, "WHERE name = :name")
SAVE_WORKER = update(Worker, "blocked")
QUALIFICATION_OF_NAME = select(Qualification, "WHERE name = :name")
DROP_QUALIFICATION = "DELETE FROM qualification WHERE id = :id"
GRANT = select(Grant, "WHERE qualification_id = :qualification_id AND worker_id = :worker_id")
GRANTS_OF_QUALIFICATION = select(Grant, "WHERE qualification_id = :qualification_id ORDER BY worker_id")
GRANTS_OF_WORKER = select(Grant, "WHERE worker_id = :worker_id ORDER BY qualification_id")
GRANTS = select(Grant, "ORDER BY qualification_id, worker_id")
SAVE_GRANT = f"""
{insert(Grant)}
ON CONFLICT (qualification_id, worker_id)
DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at"""
DROP_GRANT = "DELETE FROM granted WHERE qualification_id = :qualification_id AND worker_id = :worker_id"

# --- live work

_OF_AGENT = {False: "of_agent", True: "of_onboarding"}
LIVE_UPDATES = {
    onboarding: select(
        LiveUpdate,
        f"""WHERE {column} = :agent_id AND outgoing = :outgoing AND number > :after
ORDER BY number LIMIT :limit""",
    )
    for onboarding, column in _OF_AGENT.items()
}
"""By whether the agent is an onboarding agent."""
TALK_OF_AGENT = select(LiveUpdate, "WHERE of_agent = :agent_id ORDER BY created_at, outgoing, number")
LAST_HEARD = {
    onboarding: f"SELECT MAX(number) FROM live_update WHERE {column} = :agent_id AND outgoing = FALSE"  # noqa: S608
    for onboarding, column in _OF_AGENT.items()
}
IS_HEARD = {
    onboarding: f"""
SELECT 1 FROM live_update
WHERE {column} = :agent_id AND update_id = :update_id AND NOT outgoing"""  # noqa: S608 - our own words
    for onboarding, column in _OF_AGENT.items()
}
JOURNAL = {
    kind: select(
        JournalEntry,
        f"WHERE of_{kind.value} = :piece_id AND position > :after ORDER BY position LIMIT :limit",
    )
    for kind in PieceKind
}

OWED_OF_AGENT = select(Owed, "WHERE agent_id = :agent_id ORDER BY id")

# --- what is told beside the answer

METADATA_OF_DIGEST = select(Metadata, "WHERE agent_id = :agent_id AND digest = :digest")
METADATA_OF_AGENT = select(Metadata, "WHERE agent_id = :agent_id ORDER BY id")
ONBOARDING_AGENT = select(OnboardingAgent, "WHERE id = :id")
ONBOARDING_OF_WIRE_ID = select(OnboardingAgent, "WHERE wire_id = :wire_id")
ONBOARDING_OF_LINK = select(OnboardingAgent, "WHERE run_id = :run_id AND link = :link ORDER BY id")
NEWEST_ONBOARDING = select(
    OnboardingAgent, "WHERE run_id = :run_id AND worker_id = :worker_id ORDER BY id DESC LIMIT 1"
)
ONBOARDING_OF_PLACE = select(OnboardingAgent, "WHERE run_id = :run_id AND link = :link AND after = :after")
LIVE_ONBOARDING_OF = select(
    OnboardingAgent,
    f"WHERE run_id = :run_id AND worker_id = :worker_id AND status IN ({listed(LIVE_AGENT)})",
)
LIVE_ONBOARDING = select(
    OnboardingAgent, f"WHERE run_id = :run_id AND status IN ({listed(LIVE_AGENT)}) ORDER BY id"
)
SAVE_ONBOARDING_AGENT = update(OnboardingAgent, "status", "version", "reason", "data", "due_at", "ended_at")
HISTORY_END = "SELECT MAX(id) FROM history"
FACT = "SELECT value FROM fact WHERE scope = :scope AND key = :key"
FACTS = "SELECT key, value FROM fact WHERE scope = :scope ORDER BY key"
SAVE_FACT = """
INSERT INTO fact (scope, key, value) VALUES (:scope, :key, :value)
ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value"""
DROP_FACT = "DELETE FROM fact WHERE scope = :scope AND key = :key"

# --- deleting a run: what hangs on something goes before it

ASSIGNMENTS_TO_DELETE = "SELECT id FROM assignment WHERE run_id = :run_id ORDER BY id LIMIT :limit"
UNITS_BY_STATUS = """
SELECT CASE WHEN unit_index < 0 THEN unit_index ELSE 0 END AS special, status, COUNT(*) FROM unit
WHERE assignment_id = :assignment_id GROUP BY special, status"""
FORGET_IN_TASK = """
DELETE FROM task_worker WHERE worker_id = :worker_id AND units = 0
  AND task_id = (SELECT task_id FROM task_run WHERE id = :run_id)"""
UNITS_BY_WORKER = f"""
SELECT worker_id, COUNT(*) FROM unit
WHERE assignment_id = :assignment_id AND unit_index >= 0 AND status IN ({listed(HELD_OR_DONE)})
GROUP BY worker_id"""  # noqa: S608 - only our own words
AGENTS_BY_STATUS = "SELECT status, COUNT(*) FROM agent WHERE assignment_id = :assignment_id GROUP BY status"
_ITS_AGENTS = "(SELECT id FROM agent WHERE assignment_id = :assignment_id)"
_ITS_UNITS = "(SELECT id FROM unit WHERE assignment_id = :assignment_id)"
DELETE_ASSIGNMENT = (
    *(
        f"DELETE FROM {table} WHERE agent_id IN {_ITS_AGENTS}"  # noqa: S608 - only our own words
        for table in ("submission", "late_answer", "metadata", "page_error", "owed", "review", "decision")
    ),
    f"DELETE FROM decision WHERE unit_id IN {_ITS_UNITS}",  # noqa: S608 - only our own words
    f"DELETE FROM live_update WHERE of_agent IN {_ITS_AGENTS}",  # noqa: S608 - only our own words
    "DELETE FROM journal_entry WHERE of_assignment = :assignment_id",
    f"DELETE FROM journal_entry WHERE of_unit IN {_ITS_UNITS}",  # noqa: S608 - only our own words
    "DELETE FROM worked WHERE assignment_id = :assignment_id",
    f"DELETE FROM history WHERE kind = 'agent' AND subject_id IN {_ITS_AGENTS}",  # noqa: S608
    f"DELETE FROM history WHERE kind = 'unit' AND subject_id IN {_ITS_UNITS}",  # noqa: S608
    "DELETE FROM agent WHERE assignment_id = :assignment_id",
    "DELETE FROM unit WHERE assignment_id = :assignment_id",
    "DELETE FROM assignment WHERE id = :assignment_id",
)
_ITS_ONBOARDING = "(SELECT id FROM onboarding_agent WHERE run_id = :run_id)"
DELETE_RUN = (
    f"DELETE FROM live_update WHERE of_onboarding IN {_ITS_ONBOARDING}",  # noqa: S608 - only our own words
    f"DELETE FROM journal_entry WHERE of_onboarding IN {_ITS_ONBOARDING}",  # noqa: S608 - only our own words
    *(
        f"DELETE FROM {table} WHERE run_id = :run_id"  # noqa: S608 - only our own words
        for table in (
            "page_error",
            "late_answer",
            "decision",
            "onboarding_agent",
            "worker_cursor",
            "run_count",
            "added_rows",
            "history",
        )
    ),
    "DELETE FROM task_run WHERE id = :run_id",
)
