"""What a page is given of its agent's past, so that a reload restores it; in the words of `mephisto-task`."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import attrs

from ...protocol.names import AgentId
from ...storage.contract import Storage
from ...storage.paging import every
from ...storage.records import LiveUpdate
from .calls import is_call


@attrs.frozen
class Past:
    """Everything an agent and its page said to each other so far."""

    agent_id: AgentId
    updates: Sequence[LiveUpdate]
    """Both directions, in order, and before them what those were sent who sat in the agent's seat before."""
    seen: int
    """The last number among those that went to the page."""

    def init_data(self, task_data: Any) -> dict[str, Any]:
        """What `init_task_data` is for live work."""
        return {
            "task_data": task_data,
            "past_live_updates": [self._shown(update) for update in self.updates],
            "previous_requests": _requests(self.updates),
        }

    @property
    def inherited(self) -> list[LiveUpdate]:
        """What those were sent who sat there before."""
        return [update for update in self.updates if update.agent_id != self.agent_id]

    def _shown(self, update: LiveUpdate) -> dict[str, Any]:
        """As pages know it: what was sent to them by our name for it, what they sent by theirs.

        "p17.4" was sent to agent 17, who sat there before: for this page it has no number.
        """
        if not update.outgoing:
            return dict(update.update)
        prefix = "" if update.agent_id == self.agent_id else "p"
        return {**update.update, "update_id": f"{prefix}{update.update_id}"}


async def read_past(
    storage: Storage, onboarding: bool, agent_id: AgentId, before: Iterable[AgentId] = ()
) -> Past:
    """The past of an agent, and of those `before` it in its seat, of whom only what they were sent."""
    sent = await _all(storage, onboarding, agent_id, True)
    updates = [*await _all(storage, onboarding, agent_id, False), *sent]
    for other in before:
        theirs = await _all(storage, onboarding, other, True)
        updates += [update for update in theirs if "handles" not in update.update]
    updates.sort(key=lambda update: update.created_at)
    return Past(agent_id, updates, sent[-1].number if sent else 0)


async def _all(storage: Storage, onboarding: bool, agent_id: AgentId, outgoing: bool) -> list[LiveUpdate]:
    read = partial(storage.live_updates, onboarding, agent_id, outgoing)
    return [update async for update in every(read, lambda update: update.number)]


def _requests(updates: Iterable[LiveUpdate]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for update in updates:
        said, at = update.update, update.created_at.timestamp()
        if not update.outgoing and is_call(said):
            found.append(_request(said["request_id"], said["target"], said.get("args"), None, at))
        elif update.outgoing and "handles" in said:
            answer = _request(update.update_id, said["handles"], None, said.get("response"), at)
            found.append(answer if "error" not in said else {**answer, "error": said["error"]})
    return found


def _request(uuid: str, target: str, args: Any, response: Any, at: float) -> dict[str, Any]:
    return {
        "uuid": uuid,
        "target": target,
        "args_json": args,
        "response_json": response,
        "timestamp": at,
    }
