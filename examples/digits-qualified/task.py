"""Who may read digits: an introduction with two questions, and known digits now and then.

Everything here is called by crowdd: the introduction's page is filled with what `onboarding_data` returns,
what was sent is judged by `validate_onboarding`, and `on_unit_submitted` sees each answer that was saved.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crowdd.daemon.hooks import AgentView, WorkerView

SEVEN = [
    0, 0, 7, 8, 13, 16, 15, 1, 0, 0, 7, 7, 4, 11, 12, 0, 0, 0, 0, 0, 8, 13, 1, 0, 0, 4, 8, 8, 15, 15, 6, 0,
    0, 2, 11, 15, 15, 4, 0, 0, 0, 0, 0, 16, 5, 0, 0, 0, 0, 0, 9, 15, 1, 0, 0, 0, 0, 0, 13, 5, 0, 0, 0, 0,
]  # fmt: skip


def onboarding_data(worker: "WorkerView") -> dict[str, Any]:
    """What fills the page of the introduction."""
    return {"pixels": SEVEN}


def validate_onboarding(worker: "WorkerView", data: dict[str, Any]) -> bool:
    """Whether the worker read the picture, and the rule about pictures that are hard."""
    return data.get("sample") == "7" and data.get("hard") == "guess"


def on_unit_submitted(agent: "AgentView") -> bool | None:
    """Whether a known digit was read right; of the others nothing is known."""
    if not agent.unit.is_gold:
        return None
    return bool(agent.data.get("label") == agent.unit.data["_truth"])
