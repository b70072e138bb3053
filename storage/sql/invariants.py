"""What must hold in every store, as queries for what breaks it: each gives one text per breach."""

from ...protocol.names import LIVE_AGENT, ONLY_WAITED
from ..rules import HELD_OR_DONE
from .schema import listed

_QUERIES: dict[str, str] = {
    "no unit is held by two live agents": """
        SELECT 'unit ' || unit_id || ' by ' || COUNT(*) FROM agent WHERE status IN (LIVE)
        GROUP BY unit_id HAVING COUNT(*) > 1""",
    "an assigned unit has the agent who took it": """
        SELECT 'unit ' || unit.id FROM unit LEFT JOIN agent ON agent.id = unit.agent_id
        WHERE unit.agent_id IS NOT NULL
          AND (agent.id IS NULL OR agent.unit_id <> unit.id OR agent.worker_id <> unit.worker_id)""",
    "a live agent holds its unit": """
        SELECT 'agent ' || agent.id FROM agent JOIN unit ON unit.id = agent.unit_id
        WHERE agent.status IN (LIVE)
          AND NOT (unit.status = 'assigned' AND unit.agent_id = agent.id)""",
    "an agent's assignment and run are its unit's": """
        SELECT 'agent ' || agent.id FROM agent JOIN unit ON unit.id = agent.unit_id
        WHERE agent.assignment_id <> unit.assignment_id OR agent.run_id <> unit.run_id""",
    "no worker has two units of one assignment": """
        SELECT 'worker ' || worker_id || ', assignment ' || assignment_id FROM agent
        WHERE COALESCE(reason, '') NOT IN (ONLY_WAITED)
        GROUP BY worker_id, assignment_id HAVING COUNT(*) > 1""",
    "every worker is noted to have worked on what they took": """
        SELECT 'agent ' || agent.id FROM agent WHERE COALESCE(agent.reason, '') NOT IN (ONLY_WAITED)
        AND NOT EXISTS (
          SELECT 1 FROM worked
          WHERE worked.worker_id = agent.worker_id AND worked.assignment_id = agent.assignment_id)""",
    "no two units have one place in a queue": """
        SELECT 'run ' || run_id || ', place ' || position FROM unit
        GROUP BY run_id, position HAVING COUNT(*) > 1""",
    "the kept counts of units are right": """
        SELECT 'run ' || run_id || ', ' || status FROM (
          SELECT run_id, KIND AS kind, status, COUNT(*) AS number FROM unit GROUP BY run_id, KIND, status
          UNION ALL SELECT run_id, kind, status, -number FROM run_count
          WHERE kind IN ('unit', 'screening', 'gold')) AS counted
        GROUP BY run_id, kind, status HAVING SUM(number) <> 0""",
    "the kept counts of agents are right": """
        SELECT 'run ' || run_id || ', ' || status FROM (
          SELECT run_id, status, COUNT(*) AS number FROM agent GROUP BY run_id, status
          UNION ALL SELECT run_id, status, -number FROM run_count WHERE kind = 'agent') AS counted
        GROUP BY run_id, status HAVING SUM(number) <> 0""",
    "the kept counts of onboarding agents are right": """
        SELECT 'run ' || run_id || ', ' || status FROM (
          SELECT run_id, status, COUNT(*) AS number FROM onboarding_agent GROUP BY run_id, status
          UNION ALL SELECT run_id, status, -number FROM run_count WHERE kind = 'onboarding') AS counted
        GROUP BY run_id, status HAVING SUM(number) <> 0""",
    "the kept counts of workers' units are right": """
        SELECT 'worker ' || worker_id || ', task ' || task_id FROM (
          SELECT task_run.task_id, unit.worker_id, 1 AS units
          FROM unit JOIN task_run ON task_run.id = unit.run_id
          WHERE unit.worker_id IS NOT NULL AND unit.unit_index >= 0 AND unit.status IN (HELD_OR_DONE)
          UNION ALL SELECT task_id, worker_id, -units FROM task_worker) AS counted
        GROUP BY task_id, worker_id HAVING SUM(units) <> 0""",
    "no worker is onboarded twice at once": """
        SELECT 'worker ' || worker_id || ', run ' || run_id FROM onboarding_agent WHERE status IN (LIVE)
        GROUP BY worker_id, run_id HAVING COUNT(*) > 1""",
    "a unit made for one worker is never free": """
        SELECT 'unit ' || id FROM unit WHERE unit_index < 0 AND status IN ('created', 'launched')""",
    "only runs that go by ranks have them": """
        SELECT 'unit ' || unit.id FROM unit JOIN task_run ON task_run.id = unit.run_id
        WHERE unit.rank <> 0 AND (task_run.queue = 'fifo' OR unit.unit_index < 0)""",
    "what is left of an assignment has its highest ranks, where the least covered come first": """
        SELECT 'assignment ' || assignment_id FROM (
          SELECT unit.assignment_id, COUNT(*) AS units,
                 COUNT(CASE WHEN unit.status IN ('created', 'launched') THEN 1 END) AS remaining,
                 COUNT(DISTINCT CASE WHEN unit.status IN ('created', 'launched') THEN unit.rank END) AS ranks,
                 MIN(CASE WHEN unit.status IN ('created', 'launched') THEN unit.rank END) AS lowest,
                 MAX(CASE WHEN unit.status IN ('created', 'launched') THEN unit.rank END) AS highest
          FROM unit JOIN task_run ON task_run.id = unit.run_id
          WHERE task_run.queue = 'least_covered' AND unit.unit_index >= 0
          GROUP BY unit.assignment_id) AS ranked
        WHERE remaining > 0
          AND NOT (ranks = remaining AND highest = units AND lowest = units - remaining + 1)""",
    "in a run of groups what is left of an assignment comes first while somebody is at it": """
        SELECT 'unit ' || unit.id FROM unit JOIN task_run ON task_run.id = unit.run_id
        WHERE task_run.queue = 'grouped' AND unit.unit_index >= 0 AND unit.status IN ('created', 'launched')
          AND unit.rank <> CASE WHEN EXISTS (
            SELECT 1 FROM unit AS held
            WHERE held.assignment_id = unit.assignment_id AND held.status = 'assigned') THEN 0 ELSE 1 END""",
    "a decision's agent is its worker's": """
        SELECT 'decision ' || decision.id FROM decision JOIN agent ON agent.id = decision.agent_id
        WHERE decision.worker_id <> agent.worker_id OR decision.run_id <> agent.run_id""",
    "a submission is of its agent's run": """
        SELECT 'agent ' || agent.id FROM submission JOIN agent ON agent.id = submission.agent_id
        WHERE submission.run_id <> agent.run_id""",
    "a late answer is of its agent and run": """
        SELECT 'late answer ' || late_answer.id FROM late_answer JOIN agent ON agent.id = late_answer.agent_id
        WHERE late_answer.run_id <> agent.run_id OR late_answer.wire_id <> agent.wire_id""",
    "a late answer is owed for what was decided, and paid after it": """
        SELECT 'late answer ' || id FROM late_answer
        WHERE (owed_at IS NULL) <> (owed_cents IS NULL) OR (owed_at IS NULL) <> (owed_by IS NULL)
          OR (paid_at IS NOT NULL AND owed_at IS NULL) OR (owed_at IS NOT NULL AND NOT is_answer)""",
    "who is owed for a late answer has not their unit": """
        SELECT 'late answer ' || late_answer.id FROM late_answer JOIN agent ON agent.id = late_answer.agent_id
        JOIN unit ON unit.id = agent.unit_id
        WHERE late_answer.owed_at IS NOT NULL AND unit.agent_id = agent.id""",
    "what is owed is owed to its agent's worker": """
        SELECT 'owed ' || owed.id FROM owed JOIN agent ON agent.id = owed.agent_id
        WHERE owed.worker_id <> agent.worker_id OR owed.run_id <> agent.run_id""",
    "the live updates of an agent and direction are numbered without a gap": """
        SELECT WHOSE FROM live_update
        GROUP BY onboarding, agent_id, outgoing HAVING MAX(number) <> COUNT(*)""",
    "what a page counts is stored in its order": """
        SELECT WHOSE || ', update ' || number FROM (
          SELECT onboarding, agent_id, number, page_number,
                 LAG(page_number) OVER (PARTITION BY onboarding, agent_id, page ORDER BY number) AS former
          FROM live_update WHERE page_number > 0) AS counted
        WHERE page_number <= former""",
    "the places of a journal are taken without a gap": """
        SELECT kind || ' ' || piece_id FROM journal_entry
        GROUP BY kind, piece_id HAVING MAX(position) <> COUNT(*)""",
    "the agents of a journal are those of its unit, assignment or onboarding": """
        SELECT journal_entry.kind || ' ' || piece_id || ', position ' || journal_entry.position
        FROM journal_entry LEFT JOIN agent ON agent.id = journal_entry.agent_id
        WHERE journal_entry.agent_id IS NOT NULL AND NOT COALESCE(CASE journal_entry.kind
          WHEN 'unit' THEN agent.unit_id = piece_id
          WHEN 'assignment' THEN agent.assignment_id = piece_id
          ELSE journal_entry.agent_id = piece_id END, FALSE)""",
    "history is without gaps": """
        SELECT kind || ' ' || subject_id || ', entry ' || id FROM (
          SELECT id, kind, subject_id, before,
                 LAG(after) OVER (PARTITION BY kind, subject_id ORDER BY id) AS former
          FROM history WHERE kind IN ('run', 'unit', 'agent', 'onboarding')) AS entries
        WHERE COALESCE(before, '') <> COALESCE(former, '')""",
    "history ends where things are": """
        SELECT present.kind || ' ' || present.id FROM (
          SELECT 'run' AS kind, id, state AS status FROM task_run
          UNION ALL SELECT 'unit', id, status FROM unit
          UNION ALL SELECT 'agent', id, status FROM agent
          UNION ALL SELECT 'onboarding', id, status FROM onboarding_agent) AS present
        WHERE present.status <> COALESCE((
          SELECT after FROM history
          WHERE history.kind = present.kind AND history.subject_id = present.id
          ORDER BY history.id DESC LIMIT 1), '')""",
}

_SHORT = {
    "(LIVE)": f"({listed(LIVE_AGENT)})",
    "(HELD_OR_DONE)": f"({listed(HELD_OR_DONE)})",
    "(ONLY_WAITED)": f"({listed(ONLY_WAITED)})",
    "KIND": "CASE unit_index WHEN -1 THEN 'screening' WHEN -2 THEN 'gold' ELSE 'unit' END",
    "WHOSE": "CASE WHEN onboarding THEN 'onboarding agent ' ELSE 'agent ' END || agent_id",
}


def _spelled_out(query: str) -> str:
    for short, words in _SHORT.items():
        query = query.replace(short, words)
    return query


INVARIANTS = {promise: _spelled_out(query) for promise, query in _QUERIES.items()}
"""By the promise that must be true."""
