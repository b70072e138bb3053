"""What a log line about an agent carries: its numbers, and never its wire id."""

from ..storage.records import Agent


def ids_of(agent: Agent) -> dict[str, int]:
    """For `extra` of a log call."""
    return {"run": agent.run_id, "agent": agent.id, "unit": agent.unit_id, "worker": agent.worker_id}
