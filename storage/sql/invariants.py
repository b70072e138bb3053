"""What must hold in every store, as queries for what breaks it: each gives one text per breach."""

from ...protocol.names import LIVE_AGENT
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
        GROUP BY worker_id, assignment_id HAVING COUNT(*) > 1""",
    "every worker is noted to have worked on what they took": """
        SELECT 'agent ' || agent.id FROM agent WHERE NOT EXISTS (
          SELECT 1 FROM worked
          WHERE worked.worker_id = agent.worker_id AND worked.assignment_id = agent.assignment_id)""",
    "no two units have one place in a queue": """
        SELECT 'run ' || run_id || ', place ' || position FROM unit
        GROUP BY run_id, position HAVING COUNT(*) > 1""",
    "the kept counts of units are right": """
        SELECT 'run ' || run_id || ', ' || status FROM (
          SELECT run_id, status, COUNT(*) AS number FROM unit GROUP BY run_id, status
          UNION ALL SELECT run_id, status, -number FROM run_count WHERE kind = 'unit') AS counted
        GROUP BY run_id, status HAVING SUM(number) <> 0""",
    "the kept counts of agents are right": """
        SELECT 'run ' || run_id || ', ' || status FROM (
          SELECT run_id, status, COUNT(*) AS number FROM agent GROUP BY run_id, status
          UNION ALL SELECT run_id, status, -number FROM run_count WHERE kind = 'agent') AS counted
        GROUP BY run_id, status HAVING SUM(number) <> 0""",
    "a submission is of its agent's run": """
        SELECT 'agent ' || agent.id FROM submission JOIN agent ON agent.id = submission.agent_id
        WHERE submission.run_id <> agent.run_id""",
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

INVARIANTS = {
    promise: query.replace("(LIVE)", f"({listed(LIVE_AGENT)})") for promise, query in _QUERIES.items()
}
"""By the promise that must be true."""
