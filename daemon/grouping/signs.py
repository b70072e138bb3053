"""What is known of workers who wait, beside what storage says: their signs, the questions to them.

In memory alone: after a restart everybody is asked again, and the pace is that of those who are there.
"""

from collections import deque
from collections.abc import Iterable, Sequence

import trio

from ...protocol.names import AgentId
from ..groups import ARRIVALS_KEPT, expected_s

SOON_S = 1.0  # whose time is over says the timekeeper, who knows of outages; until then some is left


class Signs:
    """One per run, by agent. Times are trio's."""

    def __init__(self) -> None:
        self._heard: dict[AgentId, float] = {}
        self._asked: dict[AgentId, float] = {}
        self._over: set[AgentId] = set()
        self._arrivals: deque[float] = deque(maxlen=ARRIVALS_KEPT)

    def came(self, agent_id: AgentId, ago_s: float) -> None:
        """Somebody new waits since then."""
        if agent_id not in self._heard:
            at = trio.current_time() - ago_s
            self._heard[agent_id] = at
            self._arrivals.append(at)

    def remember(self, ago_s: Iterable[float]) -> None:
        """After a start: so long ago those came who wait or work now, from whom the pace is guessed."""
        now = trio.current_time()
        self._arrivals = deque(sorted(now - ago for ago in ago_s), maxlen=ARRIVALS_KEPT)

    def forget(self, agent_id: AgentId) -> None:
        """It waits no more."""
        self._heard.pop(agent_id, None)
        self._asked.pop(agent_id, None)
        self._over.discard(agent_id)

    def asked(self, agent_ids: Iterable[AgentId]) -> None:
        """These were asked whether they are there."""
        self._asked.update(dict.fromkeys(agent_ids, trio.current_time()))

    def answered(self, agent_id: AgentId) -> None:
        """It said that it is there."""
        if agent_id in self._heard:
            self._heard[agent_id] = trio.current_time()
            self._asked.pop(agent_id, None)

    def drop_questions(self) -> None:
        """No router was reached: answers may be lost."""
        self._asked.clear()

    def time_is_over(self, agent_id: AgentId) -> None:
        """It waited for as long as it may."""
        self._over.add(agent_id)

    def has_time(self, agent_id: AgentId) -> None:
        """It was given other time."""
        self._over.discard(agent_id)

    def heard(self, agent_id: AgentId) -> float:
        """When it last gave a sign."""
        return self._heard.get(agent_id, -float("inf"))

    def asked_at(self, agent_id: AgentId) -> float | None:
        """When it was asked, while the answer is open."""
        return self._asked.get(agent_id)

    def until(self, agent_id: AgentId, left_s: float) -> float:
        """Until when it may be kept waiting, by what storage says is left."""
        now = trio.current_time()
        return now if agent_id in self._over else now + max(left_s, SOON_S)

    def expected_s(self, missing: int) -> float | None:
        """In how many seconds so many more will have come."""
        return expected_s(sorted(self._arrivals), missing, trio.current_time())

    @property
    def waiting(self) -> Sequence[AgentId]:
        """Who waits."""
        return [*self._heard]
