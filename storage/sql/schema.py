"""The schema as numbered steps. What a released step does is never changed: what comes later is a new step.

Where databases differ a word in braces stands, and each body fills in its own: `{serial}` a key that numbers
itself, `{serial_once}` one that never gives a number twice, `{bytes}`, and `{keyed}` for a table that is
only its primary key.
"""

from collections.abc import Iterable

import attrs

from ...protocol.names import LIVE_AGENT, AgentStatus, QueueOrder, Reason, RunState, UnitStatus
from ..rules import HELD_OR_DONE, NEEDS_AGENT, NEEDS_NO_AGENT


@attrs.frozen
class Migration:
    """One step: all of its statements in one transaction, or none."""

    name: str
    statements: tuple[str, ...]


def listed(values: Iterable[AgentStatus | UnitStatus | RunState | QueueOrder | Reason]) -> str:
    """States as a list of SQL: 'launched', 'assigned'."""
    return ", ".join(sorted(f"'{value.value}'" for value in values))


def one_of(column: str, values: Iterable[AgentStatus | UnitStatus]) -> str:
    """Whether a column is among states: what `IN` says. Of a list SQLite makes a table, anew for each write.

    Stores from before were made with `IN`: they check the same, an update of an agent takes twice as long.
    """
    return " OR ".join(sorted(f"{column} = '{value.value}'" for value in values))


_FIRST = (
    """CREATE TABLE lease (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        epoch BIGINT NOT NULL,
        holder TEXT NOT NULL
    )""",
    """CREATE TABLE requester (
        id {serial},
        name TEXT NOT NULL UNIQUE,
        provider TEXT NOT NULL
    )""",
    """CREATE TABLE project (
        id {serial},
        name TEXT NOT NULL UNIQUE
    )""",
    """CREATE TABLE task (
        id {serial},
        name TEXT NOT NULL UNIQUE,
        blueprint TEXT NOT NULL,
        project_id BIGINT REFERENCES project (id)
    )""",
    f"""CREATE TABLE task_run (
        id {{serial}},
        task_id BIGINT NOT NULL REFERENCES task (id),
        requester_id BIGINT NOT NULL REFERENCES requester (id),
        launch_id TEXT NOT NULL UNIQUE,
        label TEXT NOT NULL UNIQUE,
        blueprint TEXT NOT NULL,
        provider TEXT NOT NULL,
        architect TEXT NOT NULL,
        sandbox BOOLEAN NOT NULL,
        config TEXT NOT NULL,
        key {{bytes}} NOT NULL,
        state TEXT NOT NULL CHECK (state IN ({listed(RunState)})),
        trouble TEXT,
        rows_made BIGINT NOT NULL,
        rows_done BOOLEAN NOT NULL,
        created_at TEXT NOT NULL,
        ended_at TEXT,
        next_position BIGINT NOT NULL DEFAULT 1
    )""",
    "CREATE INDEX run_of_task ON task_run (task_id)",
    """CREATE TABLE run_count (
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        kind TEXT NOT NULL,
        status TEXT NOT NULL,
        number BIGINT NOT NULL,
        PRIMARY KEY (run_id, kind, status)
    ) {keyed}""",
    """CREATE TABLE assignment (
        id {serial},
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        row BIGINT NOT NULL,
        digest TEXT NOT NULL,
        shared TEXT NOT NULL,
        unit_data TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX assignment_of_row ON assignment (run_id, row) WHERE row >= 0",
    "CREATE INDEX assignment_of_run ON assignment (run_id)",
    f"""CREATE TABLE unit (
        id {{serial}},
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        assignment_id BIGINT NOT NULL REFERENCES assignment (id),
        unit_index INTEGER NOT NULL,
        status TEXT NOT NULL CHECK ({one_of("status", UnitStatus)}),
        position BIGINT NOT NULL,
        agent_id BIGINT,
        worker_id BIGINT,
        pay_cents BIGINT NOT NULL,
        UNIQUE (assignment_id, unit_index),
        CHECK (NOT ({one_of("status", NEEDS_NO_AGENT)}) OR agent_id IS NULL),
        CHECK (NOT ({one_of("status", NEEDS_AGENT)}) OR agent_id IS NOT NULL),
        CHECK ((agent_id IS NULL) = (worker_id IS NULL))
    )""",
    "CREATE INDEX unit_of_run ON unit (run_id)",
    # The three queues of a run. Each holds only the units in its status, so none grows with what is done.
    "CREATE INDEX unit_waiting ON unit (run_id, position) WHERE status = 'created'",
    "CREATE INDEX unit_free ON unit (run_id, position) WHERE status = 'launched'",
    "CREATE INDEX unit_held ON unit (run_id, agent_id) WHERE status = 'assigned'",
    "CREATE UNIQUE INDEX unit_of_agent ON unit (agent_id) WHERE agent_id IS NOT NULL",
    "CREATE INDEX unit_of_worker ON unit (worker_id, run_id, status) WHERE worker_id IS NOT NULL",
    """CREATE TABLE worker (
        id {serial},
        provider TEXT NOT NULL,
        name TEXT NOT NULL,
        blocked BOOLEAN NOT NULL,
        provider_data TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (provider, name)
    )""",
    f"""CREATE TABLE agent (
        id {{serial}},
        wire_id TEXT NOT NULL UNIQUE,
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        unit_id BIGINT NOT NULL REFERENCES unit (id),
        assignment_id BIGINT NOT NULL REFERENCES assignment (id),
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        status TEXT NOT NULL CHECK ({one_of("status", AgentStatus)}),
        version BIGINT NOT NULL,
        reason TEXT,
        link TEXT NOT NULL,
        after TEXT NOT NULL,
        due_at TEXT,
        provider_data TEXT NOT NULL,
        created_at TEXT NOT NULL,
        ended_at TEXT,
        UNIQUE (run_id, link, after)
    )""",
    "CREATE INDEX agent_of_run ON agent (run_id)",
    "CREATE INDEX agent_of_worker ON agent (worker_id, run_id)",
    f"CREATE UNIQUE INDEX agent_holding ON agent (unit_id) WHERE {one_of('status', LIVE_AGENT)}",
    """CREATE TABLE worked (
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        assignment_id BIGINT NOT NULL REFERENCES assignment (id),
        PRIMARY KEY (worker_id, assignment_id)
    ) {keyed}""",
    """CREATE TABLE worker_cursor (
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        position BIGINT NOT NULL,
        PRIMARY KEY (worker_id, run_id)
    ) {keyed}""",
    f"""CREATE TABLE onboarding_agent (
        id {{serial}},
        wire_id TEXT NOT NULL UNIQUE,
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        status TEXT NOT NULL CHECK ({one_of("status", AgentStatus)}),
        version BIGINT NOT NULL,
        reason TEXT,
        link TEXT NOT NULL,
        after TEXT NOT NULL,
        data TEXT NOT NULL,
        due_at TEXT,
        provider_data TEXT NOT NULL,
        created_at TEXT NOT NULL,
        ended_at TEXT
    )""",
    "CREATE INDEX onboarding_of_run ON onboarding_agent (run_id, worker_id)",
    """CREATE TABLE qualification (
        id {serial_once},
        name TEXT NOT NULL UNIQUE,
        description TEXT,
        created_at TEXT NOT NULL
    )""",
    """CREATE TABLE granted (
        qualification_id BIGINT NOT NULL REFERENCES qualification (id) ON DELETE CASCADE,
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        value BIGINT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        PRIMARY KEY (qualification_id, worker_id)
    )""",
    "CREATE INDEX granted_to_worker ON granted (worker_id)",
    """CREATE TABLE submission (
        agent_id BIGINT PRIMARY KEY REFERENCES agent (id),
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        data {bytes} NOT NULL,
        files TEXT NOT NULL,
        digest TEXT NOT NULL,
        late BOOLEAN NOT NULL,
        submitted_at TEXT NOT NULL
    )""",
    "CREATE INDEX submission_of_run ON submission (run_id, agent_id)",
    "CREATE INDEX submission_by_time ON submission (run_id, submitted_at)",
    """CREATE TABLE metadata (
        id {serial},
        agent_id BIGINT NOT NULL REFERENCES agent (id),
        kind TEXT NOT NULL,
        data TEXT NOT NULL,
        files TEXT NOT NULL,
        digest TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (agent_id, digest)
    )""",
    """CREATE TABLE page_error (
        id {serial},
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        agent_id BIGINT REFERENCES agent (id),
        source TEXT NOT NULL,
        data TEXT NOT NULL,
        created_at TEXT NOT NULL
    )""",
    "CREATE INDEX error_of_run ON page_error (run_id)",
    """CREATE TABLE live_update (
        agent_id BIGINT NOT NULL REFERENCES agent (id),
        outgoing BOOLEAN NOT NULL,
        epoch BIGINT NOT NULL,
        sequence BIGINT NOT NULL,
        "update" TEXT NOT NULL,
        created_at TEXT NOT NULL,
        PRIMARY KEY (agent_id, outgoing, epoch, sequence)
    )""",
    """CREATE TABLE journal_entry (
        unit_id BIGINT REFERENCES unit (id),
        assignment_id BIGINT NOT NULL REFERENCES assignment (id),
        position BIGINT NOT NULL,
        kind TEXT NOT NULL,
        agent_id BIGINT REFERENCES agent (id),
        result TEXT NOT NULL,
        created_at TEXT NOT NULL
    )""",
    # Not a UNIQUE constraint: to that, two nulls differ, and an assignment's journal has no unit.
    "CREATE UNIQUE INDEX journal_place ON journal_entry (assignment_id, (COALESCE(unit_id, 0)), position)",
    f"""CREATE TABLE review (
        id {{serial}},
        agent_id BIGINT NOT NULL REFERENCES agent (id),
        unit_id BIGINT NOT NULL REFERENCES unit (id),
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        status TEXT NOT NULL CHECK ({one_of("status", AgentStatus)}),
        note TEXT,
        who TEXT NOT NULL,
        created_at TEXT NOT NULL
    )""",
    "CREATE INDEX review_of_agent ON review (agent_id)",
    """CREATE TABLE fact (
        scope TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (scope, key)
    )""",
    """CREATE TABLE history (
        id {serial},
        at TEXT NOT NULL,
        who TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject_id BIGINT NOT NULL,
        run_id BIGINT,
        before TEXT,
        after TEXT NOT NULL,
        why TEXT NOT NULL
    )""",
    "CREATE INDEX history_of_subject ON history (kind, subject_id)",
    "CREATE INDEX history_of_run ON history (run_id)",
)

_RUNS_CHANGE = (
    "ALTER TABLE task_run ADD COLUMN paused BOOLEAN NOT NULL DEFAULT FALSE",
    "ALTER TABLE task_run ADD COLUMN deleting BOOLEAN NOT NULL DEFAULT FALSE",
    """CREATE TABLE added_rows (
        id {serial},
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        request_id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        rows BIGINT NOT NULL,
        created_at TEXT NOT NULL
    )""",
    "CREATE INDEX added_rows_of_run ON added_rows (run_id)",
    # What is removed must find what hangs on it, and a database looks for that at every removal of a parent.
    "CREATE INDEX agent_of_assignment ON agent (assignment_id)",
    "CREATE INDEX agent_of_unit ON agent (unit_id)",
    "CREATE INDEX worked_on_assignment ON worked (assignment_id)",
    "CREATE INDEX cursor_of_run ON worker_cursor (run_id)",
    "CREATE INDEX error_of_agent ON page_error (agent_id) WHERE agent_id IS NOT NULL",
    "CREATE INDEX journal_of_agent ON journal_entry (agent_id) WHERE agent_id IS NOT NULL",
    "CREATE INDEX journal_of_unit ON journal_entry (unit_id) WHERE unit_id IS NOT NULL",
    "CREATE INDEX review_of_unit ON review (unit_id)",
)

_FIRST_ORDERS = listed({QueueOrder.FIFO, QueueOrder.RANKED, QueueOrder.LEAST_COVERED})
_ADMISSION = (
    f"""ALTER TABLE task_run ADD COLUMN queue TEXT NOT NULL DEFAULT '{QueueOrder.FIFO.value}'
        CHECK (queue IN ({_FIRST_ORDERS}))""",
    "ALTER TABLE unit ADD COLUMN rank BIGINT NOT NULL DEFAULT 0",
    "DROP INDEX unit_waiting",
    "DROP INDEX unit_free",
    "CREATE INDEX unit_waiting ON unit (run_id, rank, position) WHERE status = 'created'",
    "CREATE INDEX unit_free ON unit (run_id, rank, position) WHERE status = 'launched'",
    # Only for runs with ranks: what is left of an assignment is found without looking at all its units.
    """CREATE INDEX unit_left ON unit (assignment_id, rank)
        WHERE rank > 0 AND (status = 'created' OR status = 'launched')""",
    "CREATE UNIQUE INDEX onboarding_of_link ON onboarding_agent (run_id, link, after)",
    f"""CREATE UNIQUE INDEX onboarding_live ON onboarding_agent (run_id, worker_id)
        WHERE status IN ({listed(LIVE_AGENT)})""",
    """CREATE TABLE decision (
        id {serial},
        at TEXT NOT NULL,
        last_at TEXT NOT NULL,
        count BIGINT NOT NULL,
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        worker_id BIGINT REFERENCES worker (id),
        kind TEXT NOT NULL,
        outcome TEXT NOT NULL,
        reason TEXT,
        facts TEXT NOT NULL,
        agent_id BIGINT REFERENCES agent (id),
        unit_id BIGINT REFERENCES unit (id),
        onboarding_id BIGINT REFERENCES onboarding_agent (id)
    )""",
    "CREATE INDEX decision_of_run ON decision (run_id, worker_id)",
    "CREATE INDEX decision_of_worker ON decision (worker_id)",
    "CREATE INDEX decision_of_agent ON decision (agent_id) WHERE agent_id IS NOT NULL",
    "CREATE INDEX decision_of_unit ON decision (unit_id) WHERE unit_id IS NOT NULL",
    "CREATE INDEX decision_of_onboarding ON decision (onboarding_id) WHERE onboarding_id IS NOT NULL",
    # Those that led to nobody, of which only the newest are kept.
    """CREATE INDEX decision_alone ON decision (run_id, worker_id)
        WHERE agent_id IS NULL AND onboarding_id IS NULL""",
)

_PEOPLE = ("CREATE INDEX worker_of_name ON worker (name)",)  # staff name workers without their provider

_PIECES = "'unit', 'assignment', 'onboarding'"
_LIVE = (
    # A check on a column is widened by another column that takes its place: what every database can do.
    f"""ALTER TABLE task_run ADD COLUMN wider_queue TEXT NOT NULL DEFAULT '{QueueOrder.FIFO.value}'
        CHECK (wider_queue IN ({listed({QueueOrder.GROUPED})}, {_FIRST_ORDERS}))""",
    "UPDATE task_run SET wider_queue = queue",
    "ALTER TABLE task_run DROP COLUMN queue",
    "ALTER TABLE task_run RENAME COLUMN wider_queue TO queue",
    # Both were there from the first, and never used.
    "DROP TABLE live_update",
    "DROP TABLE journal_entry",
    # Whose a row is stands in a column of its own for each kind: so references are kept, and one index serves
    # them, what is unique, and reading in order. Rows are many and small: each index is a page more to write.
    """CREATE TABLE live_update (
        onboarding BOOLEAN NOT NULL,
        agent_id BIGINT NOT NULL,
        outgoing BOOLEAN NOT NULL,
        number BIGINT NOT NULL,
        update_id TEXT NOT NULL,
        page TEXT NOT NULL,
        page_number BIGINT NOT NULL,
        "update" TEXT NOT NULL,
        created_at TEXT NOT NULL,
        of_agent BIGINT GENERATED ALWAYS AS (CASE WHEN onboarding THEN NULL ELSE agent_id END) STORED
            REFERENCES agent (id),
        of_onboarding BIGINT GENERATED ALWAYS AS (CASE WHEN onboarding THEN agent_id END) STORED
            REFERENCES onboarding_agent (id)
    )""",
    *(
        f"""CREATE UNIQUE INDEX live_{name}_number ON live_update (of_{name}, outgoing, number)
            WHERE of_{name} IS NOT NULL"""
        for name in ("agent", "onboarding")
    ),
    # Those of outgoing updates are made of their numbers.
    *(
        f"""CREATE UNIQUE INDEX live_{name}_update_id ON live_update (of_{name}, update_id)
            WHERE of_{name} IS NOT NULL AND NOT outgoing"""
        for name in ("agent", "onboarding")
    ),
    f"""CREATE TABLE journal_entry (
        kind TEXT NOT NULL CHECK (kind IN ({_PIECES})),
        piece_id BIGINT NOT NULL,
        position BIGINT NOT NULL,
        what TEXT NOT NULL,
        agent_id BIGINT,
        result TEXT NOT NULL,
        created_at TEXT NOT NULL,
        of_unit BIGINT GENERATED ALWAYS AS (CASE WHEN kind = 'unit' THEN piece_id END) STORED
            REFERENCES unit (id),
        of_assignment BIGINT GENERATED ALWAYS AS (CASE WHEN kind = 'assignment' THEN piece_id END) STORED
            REFERENCES assignment (id),
        of_onboarding BIGINT GENERATED ALWAYS AS (CASE WHEN kind = 'onboarding' THEN piece_id END) STORED
            REFERENCES onboarding_agent (id)
    )""",
    *(
        f"""CREATE UNIQUE INDEX journal_of_{kind} ON journal_entry (of_{kind}, position)
            WHERE of_{kind} IS NOT NULL"""
        for kind in ("unit", "assignment", "onboarding")
    ),
    """CREATE TABLE owed (
        id {serial},
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        agent_id BIGINT NOT NULL REFERENCES agent (id),
        what TEXT NOT NULL,
        seconds DOUBLE PRECISION NOT NULL,
        cents BIGINT NOT NULL,
        why TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (agent_id, what)
    )""",
    "CREATE INDEX owed_in_run ON owed (run_id)",
)

_AUDIT = (
    # Names no run: what was asked stays when a run has gone.
    """CREATE TABLE audit (
        id {serial},
        at TEXT NOT NULL,
        uid BIGINT NOT NULL,
        pid BIGINT NOT NULL,
        who TEXT NOT NULL,
        what TEXT NOT NULL,
        subject TEXT NOT NULL,
        before TEXT,
        after TEXT,
        outcome TEXT
    )""",
    "CREATE INDEX audit_of_subject ON audit (subject)",
)

_LATE = (
    """CREATE TABLE late_answer (
        id {serial},
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        agent_id BIGINT REFERENCES agent (id),
        wire_id TEXT NOT NULL,
        is_answer BOOLEAN NOT NULL,
        data {bytes} NOT NULL,
        files TEXT NOT NULL,
        digest TEXT NOT NULL,
        why TEXT NOT NULL,
        received_at TEXT NOT NULL,
        UNIQUE (run_id, wire_id, digest)
    )""",
    "CREATE INDEX late_of_agent ON late_answer (agent_id) WHERE agent_id IS NOT NULL",
)

_WORKERS_UNITS = (
    # What `maximum_units_per_worker` looks at: counting the units each time costs more the more one did.
    """CREATE TABLE task_worker (
        task_id BIGINT NOT NULL REFERENCES task (id),
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        units BIGINT NOT NULL,
        PRIMARY KEY (task_id, worker_id)
    ) {keyed}""",
    f"""INSERT INTO task_worker (task_id, worker_id, units)
        SELECT task_run.task_id, unit.worker_id, COUNT(*)
        FROM unit JOIN task_run ON task_run.id = unit.run_id
        WHERE unit.worker_id IS NOT NULL AND unit.unit_index >= 0 AND unit.status IN ({listed(HELD_OR_DONE)})
        GROUP BY task_run.task_id, unit.worker_id""",  # noqa: S608 - only our own words
)

_LATE_PAY = (
    *(
        f"ALTER TABLE late_answer ADD COLUMN {column}"
        for column in ("owed_cents BIGINT", "owed_note TEXT", "owed_by TEXT", "owed_at TEXT", "paid_at TEXT")
    ),
    "CREATE UNIQUE INDEX late_owed_once ON late_answer (agent_id) WHERE owed_at IS NOT NULL",
)

MIGRATIONS: tuple[Migration, ...] = (
    Migration("first schema", _FIRST),
    Migration("runs are paused, extended and deleted", _RUNS_CHANGE),
    Migration("admission: ranks, onboarding, decisions", _ADMISSION),
    Migration("workers are found by name", _PEOPLE),
    Migration("live work: groups, updates, journals, what is owed", _LIVE),
    Migration("what staff asked for", _AUDIT),
    Migration("answers that came too late to count", _LATE),
    Migration("how many units of a task each worker has", _WORKERS_UNITS),
    Migration("late answers that staff pay", _LATE_PAY),
)
