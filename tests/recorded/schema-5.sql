BEGIN TRANSACTION;
CREATE TABLE added_rows (
        id INTEGER PRIMARY KEY,
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        request_id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        rows BIGINT NOT NULL,
        created_at TEXT NOT NULL
    );
CREATE TABLE agent (
        id INTEGER PRIMARY KEY,
        wire_id TEXT NOT NULL UNIQUE,
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        unit_id BIGINT NOT NULL REFERENCES unit (id),
        assignment_id BIGINT NOT NULL REFERENCES assignment (id),
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        status TEXT NOT NULL CHECK (status IN ('accepted', 'approved', 'completed', 'disconnect', 'expired', 'in task', 'none', 'onboarding', 'partner disconnect', 'rejected', 'returned', 'soft_rejected', 'timeout', 'waiting')),
        version BIGINT NOT NULL,
        reason TEXT,
        link TEXT NOT NULL,
        after TEXT NOT NULL,
        due_at TEXT,
        provider_data TEXT NOT NULL,
        created_at TEXT NOT NULL,
        ended_at TEXT,
        UNIQUE (run_id, link, after)
    );
INSERT INTO "agent" VALUES(1,'wire-1',1,1,1,1,'in task',2,NULL,'link-1','',NULL,'{}','2026-01-02T03:04:05.678901+00:00',NULL);
CREATE TABLE assignment (
        id INTEGER PRIMARY KEY,
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        row BIGINT NOT NULL,
        digest TEXT NOT NULL,
        shared TEXT NOT NULL,
        unit_data TEXT NOT NULL
    );
INSERT INTO "assignment" VALUES(1,1,0,'digest-0','{"n":0}','[{"part":0}]');
CREATE TABLE decision (
        id INTEGER PRIMARY KEY,
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
    );
CREATE TABLE fact (
        scope TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (scope, key)
    );
INSERT INTO "fact" VALUES('daemon','k','{"a":1}');
CREATE TABLE granted (
        qualification_id BIGINT NOT NULL REFERENCES qualification (id) ON DELETE CASCADE,
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        value BIGINT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        PRIMARY KEY (qualification_id, worker_id)
    );
INSERT INTO "granted" VALUES(1,1,1,'2026-01-02T03:04:05.678901+00:00','2026-01-02T03:04:05.678901+00:00');
CREATE TABLE history (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        who TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject_id BIGINT NOT NULL,
        run_id BIGINT,
        before TEXT,
        after TEXT NOT NULL,
        why TEXT NOT NULL
    );
INSERT INTO "history" VALUES(1,'2026-01-02T03:04:05.678901+00:00','staff:ada','run',1,1,NULL,'launching','launched');
INSERT INTO "history" VALUES(2,'2026-01-02T03:04:05.678901+00:00','daemon','unit',1,1,NULL,'created','row added');
INSERT INTO "history" VALUES(3,'2026-01-02T03:04:05.678901+00:00','daemon','unit',1,1,'created','launched','released to workers');
INSERT INTO "history" VALUES(4,'2026-01-02T03:14:05.678901+00:00','daemon','run',1,1,'launching','running','test');
INSERT INTO "history" VALUES(5,'2026-01-02T03:04:05.678901+00:00','worker','unit',1,1,'launched','assigned','took unit 1');
INSERT INTO "history" VALUES(6,'2026-01-02T03:04:05.678901+00:00','worker','agent',1,1,NULL,'accepted','took unit 1');
INSERT INTO "history" VALUES(7,'2026-01-02T03:04:05.678901+00:00','worker','agent',1,1,'accepted','in task','took unit 1');
INSERT INTO "history" VALUES(8,'2026-01-02T03:04:05.678901+00:00','daemon','qualification',1,NULL,NULL,'trained','created');
INSERT INTO "history" VALUES(9,'2026-01-02T03:04:05.678901+00:00','staff:ada','grant',1,NULL,NULL,'trained=1','a test');
CREATE TABLE journal_entry (
        kind TEXT NOT NULL CHECK (kind IN ('unit', 'assignment', 'onboarding')),
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
    );
CREATE TABLE lease (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        epoch BIGINT NOT NULL,
        holder TEXT NOT NULL
    );
INSERT INTO "lease" VALUES(1,1,'799@vm');
CREATE TABLE live_update (
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
    );
CREATE TABLE metadata (
        id INTEGER PRIMARY KEY,
        agent_id BIGINT NOT NULL REFERENCES agent (id),
        kind TEXT NOT NULL,
        data TEXT NOT NULL,
        files TEXT NOT NULL,
        digest TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (agent_id, digest)
    );
CREATE TABLE onboarding_agent (
        id INTEGER PRIMARY KEY,
        wire_id TEXT NOT NULL UNIQUE,
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        status TEXT NOT NULL CHECK (status IN ('accepted', 'approved', 'completed', 'disconnect', 'expired', 'in task', 'none', 'onboarding', 'partner disconnect', 'rejected', 'returned', 'soft_rejected', 'timeout', 'waiting')),
        version BIGINT NOT NULL,
        reason TEXT,
        link TEXT NOT NULL,
        after TEXT NOT NULL,
        data TEXT NOT NULL,
        due_at TEXT,
        provider_data TEXT NOT NULL,
        created_at TEXT NOT NULL,
        ended_at TEXT
    );
CREATE TABLE owed (
        id INTEGER PRIMARY KEY,
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        agent_id BIGINT NOT NULL REFERENCES agent (id),
        what TEXT NOT NULL,
        seconds DOUBLE PRECISION NOT NULL,
        cents BIGINT NOT NULL,
        why TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (agent_id, what)
    );
CREATE TABLE page_error (
        id INTEGER PRIMARY KEY,
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        agent_id BIGINT REFERENCES agent (id),
        source TEXT NOT NULL,
        data TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
CREATE TABLE project (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    );
CREATE TABLE qualification (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        description TEXT,
        created_at TEXT NOT NULL
    );
INSERT INTO "qualification" VALUES(1,'trained','passed','2026-01-02T03:04:05.678901+00:00');
CREATE TABLE requester (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        provider TEXT NOT NULL
    );
INSERT INTO "requester" VALUES(1,'lab','mock');
CREATE TABLE review (
        id INTEGER PRIMARY KEY,
        agent_id BIGINT NOT NULL REFERENCES agent (id),
        unit_id BIGINT NOT NULL REFERENCES unit (id),
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        status TEXT NOT NULL CHECK (status IN ('accepted', 'approved', 'completed', 'disconnect', 'expired', 'in task', 'none', 'onboarding', 'partner disconnect', 'rejected', 'returned', 'soft_rejected', 'timeout', 'waiting')),
        note TEXT,
        who TEXT NOT NULL,
        created_at TEXT NOT NULL
    );
CREATE TABLE run_count (
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        kind TEXT NOT NULL,
        status TEXT NOT NULL,
        number BIGINT NOT NULL,
        PRIMARY KEY (run_id, kind, status)
    ) WITHOUT ROWID;
INSERT INTO "run_count" VALUES(1,'agent','in task',1);
INSERT INTO "run_count" VALUES(1,'unit','assigned',1);
INSERT INTO "run_count" VALUES(1,'unit','created',0);
INSERT INTO "run_count" VALUES(1,'unit','launched',0);
CREATE TABLE submission (
        agent_id BIGINT PRIMARY KEY REFERENCES agent (id),
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        data BLOB NOT NULL,
        files TEXT NOT NULL,
        digest TEXT NOT NULL,
        late BOOLEAN NOT NULL,
        submitted_at TEXT NOT NULL
    );
CREATE TABLE task (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        blueprint TEXT NOT NULL,
        project_id BIGINT REFERENCES project (id)
    );
INSERT INTO "task" VALUES(1,'digits','static',NULL);
CREATE TABLE task_run (
        id INTEGER PRIMARY KEY,
        task_id BIGINT NOT NULL REFERENCES task (id),
        requester_id BIGINT NOT NULL REFERENCES requester (id),
        launch_id TEXT NOT NULL UNIQUE,
        label TEXT NOT NULL UNIQUE,
        blueprint TEXT NOT NULL,
        provider TEXT NOT NULL,
        architect TEXT NOT NULL,
        sandbox BOOLEAN NOT NULL,
        config TEXT NOT NULL,
        key BLOB NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('completed', 'draining', 'failed', 'launching', 'running', 'stopped')),
        trouble TEXT,
        rows_made BIGINT NOT NULL,
        rows_done BOOLEAN NOT NULL,
        created_at TEXT NOT NULL,
        ended_at TEXT,
        next_position BIGINT NOT NULL DEFAULT 1
    , paused BOOLEAN NOT NULL DEFAULT FALSE, deleting BOOLEAN NOT NULL DEFAULT FALSE, queue TEXT NOT NULL DEFAULT 'fifo'
        CHECK (queue IN ('grouped', 'fifo', 'least_covered', 'ranked')));
INSERT INTO "task_run" VALUES(1,1,1,'launch-digits','digits','static','mock','local',1,'{"task":{"title":"Digits"},"limits":[1,2.5,null]}',X'00FF6B6579','running',NULL,1,1,'2026-01-02T03:04:05.678901+00:00',NULL,3,0,0,'fifo');
CREATE TABLE unit (
        id INTEGER PRIMARY KEY,
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        assignment_id BIGINT NOT NULL REFERENCES assignment (id),
        unit_index INTEGER NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('accepted', 'assigned', 'completed', 'created', 'expired', 'launched', 'rejected', 'soft_rejected')),
        position BIGINT NOT NULL,
        agent_id BIGINT,
        worker_id BIGINT,
        pay_cents BIGINT NOT NULL, rank BIGINT NOT NULL DEFAULT 0,
        UNIQUE (assignment_id, unit_index),
        CHECK (status NOT IN ('created', 'launched') OR agent_id IS NULL),
        CHECK (status NOT IN ('accepted', 'assigned', 'completed', 'rejected', 'soft_rejected') OR agent_id IS NOT NULL),
        CHECK ((agent_id IS NULL) = (worker_id IS NULL))
    );
INSERT INTO "unit" VALUES(1,1,1,0,'assigned',2,1,1,25,0);
CREATE TABLE worked (
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        assignment_id BIGINT NOT NULL REFERENCES assignment (id),
        PRIMARY KEY (worker_id, assignment_id)
    ) WITHOUT ROWID;
INSERT INTO "worked" VALUES(1,1);
CREATE TABLE worker (
        id INTEGER PRIMARY KEY,
        provider TEXT NOT NULL,
        name TEXT NOT NULL,
        blocked BOOLEAN NOT NULL,
        provider_data TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (provider, name)
    );
INSERT INTO "worker" VALUES(1,'mock','ann',0,'{"name":"ann"}','2026-01-02T03:04:05.678901+00:00');
CREATE TABLE worker_cursor (
        worker_id BIGINT NOT NULL REFERENCES worker (id),
        run_id BIGINT NOT NULL REFERENCES task_run (id),
        position BIGINT NOT NULL,
        PRIMARY KEY (worker_id, run_id)
    ) WITHOUT ROWID;
INSERT INTO "worker_cursor" VALUES(1,1,2);
CREATE INDEX run_of_task ON task_run (task_id);
CREATE UNIQUE INDEX assignment_of_row ON assignment (run_id, row) WHERE row >= 0;
CREATE INDEX assignment_of_run ON assignment (run_id);
CREATE INDEX unit_of_run ON unit (run_id);
CREATE INDEX unit_held ON unit (run_id, agent_id) WHERE status = 'assigned';
CREATE UNIQUE INDEX unit_of_agent ON unit (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX unit_of_worker ON unit (worker_id, run_id, status) WHERE worker_id IS NOT NULL;
CREATE INDEX agent_of_run ON agent (run_id);
CREATE INDEX agent_of_worker ON agent (worker_id, run_id);
CREATE UNIQUE INDEX agent_holding ON agent (unit_id) WHERE status IN ('accepted', 'in task', 'none', 'onboarding', 'waiting');
CREATE INDEX onboarding_of_run ON onboarding_agent (run_id, worker_id);
CREATE INDEX granted_to_worker ON granted (worker_id);
CREATE INDEX submission_of_run ON submission (run_id, agent_id);
CREATE INDEX submission_by_time ON submission (run_id, submitted_at);
CREATE INDEX error_of_run ON page_error (run_id);
CREATE INDEX review_of_agent ON review (agent_id);
CREATE INDEX history_of_subject ON history (kind, subject_id);
CREATE INDEX history_of_run ON history (run_id);
CREATE INDEX added_rows_of_run ON added_rows (run_id);
CREATE INDEX agent_of_assignment ON agent (assignment_id);
CREATE INDEX agent_of_unit ON agent (unit_id);
CREATE INDEX worked_on_assignment ON worked (assignment_id);
CREATE INDEX cursor_of_run ON worker_cursor (run_id);
CREATE INDEX error_of_agent ON page_error (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX review_of_unit ON review (unit_id);
CREATE INDEX unit_waiting ON unit (run_id, rank, position) WHERE status = 'created';
CREATE INDEX unit_free ON unit (run_id, rank, position) WHERE status = 'launched';
CREATE INDEX unit_left ON unit (assignment_id, rank)
        WHERE rank > 0 AND (status = 'created' OR status = 'launched');
CREATE UNIQUE INDEX onboarding_of_link ON onboarding_agent (run_id, link, after);
CREATE UNIQUE INDEX onboarding_live ON onboarding_agent (run_id, worker_id)
        WHERE status IN ('accepted', 'in task', 'none', 'onboarding', 'waiting');
CREATE INDEX decision_of_run ON decision (run_id, worker_id);
CREATE INDEX decision_of_worker ON decision (worker_id);
CREATE INDEX decision_of_agent ON decision (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX decision_of_unit ON decision (unit_id) WHERE unit_id IS NOT NULL;
CREATE INDEX decision_of_onboarding ON decision (onboarding_id) WHERE onboarding_id IS NOT NULL;
CREATE INDEX decision_alone ON decision (run_id, worker_id)
        WHERE agent_id IS NULL AND onboarding_id IS NULL;
CREATE INDEX worker_of_name ON worker (name);
CREATE UNIQUE INDEX live_agent_number ON live_update (of_agent, outgoing, number)
            WHERE of_agent IS NOT NULL;
CREATE UNIQUE INDEX live_onboarding_number ON live_update (of_onboarding, outgoing, number)
            WHERE of_onboarding IS NOT NULL;
CREATE UNIQUE INDEX live_agent_update_id ON live_update (of_agent, update_id)
            WHERE of_agent IS NOT NULL AND NOT outgoing;
CREATE UNIQUE INDEX live_onboarding_update_id ON live_update (of_onboarding, update_id)
            WHERE of_onboarding IS NOT NULL AND NOT outgoing;
CREATE UNIQUE INDEX journal_of_unit ON journal_entry (of_unit, position)
            WHERE of_unit IS NOT NULL;
CREATE UNIQUE INDEX journal_of_assignment ON journal_entry (of_assignment, position)
            WHERE of_assignment IS NOT NULL;
CREATE UNIQUE INDEX journal_of_onboarding ON journal_entry (of_onboarding, position)
            WHERE of_onboarding IS NOT NULL;
CREATE INDEX owed_in_run ON owed (run_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('qualification',1);
COMMIT;
PRAGMA application_id = 1668432996;
PRAGMA user_version = 5;
