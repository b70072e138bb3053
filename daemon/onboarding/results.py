"""What the code that accompanied onboardings has returned: whoever judges waits for it. Not stored.

After a restart the code is run again from its journal, up to where it was, and returns the same.
"""

from typing import Any

import attrs
import trio

from ...protocol.names import AgentId


@attrs.define(eq=False)
class _Result:
    over: trio.Event = attrs.Factory(trio.Event)
    returned: Any = None


class Results:
    """One per run whose onboardings are accompanied."""

    def __init__(self) -> None:
        self._results: dict[AgentId, _Result] = {}

    def begun(self, agent_id: AgentId) -> None:
        """The code runs (again)."""
        if self.is_over(agent_id):
            del self._results[agent_id]

    def ended(self, agent_id: AgentId, returned: Any = None) -> None:
        """The code has ended, in whatever way."""
        result = self._of(agent_id)
        if not result.over.is_set():
            result.returned = returned
            result.over.set()

    def is_over(self, agent_id: AgentId) -> bool:
        """Whether the code ran, and has ended."""
        return agent_id in self._results and self._results[agent_id].over.is_set()

    async def returned(self, agent_id: AgentId) -> Any:
        """What the code returned, once it has ended; None also where it broke or was stopped."""
        result = self._of(agent_id)
        await result.over.wait()
        return result.returned

    def forget(self, agent_id: AgentId) -> None:
        """The onboarding is over: nobody asks any more."""
        self.ended(agent_id)
        del self._results[agent_id]

    def _of(self, agent_id: AgentId) -> _Result:
        return self._results.setdefault(agent_id, _Result())
