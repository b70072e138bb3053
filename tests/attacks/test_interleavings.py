"""SEC6: two workers ask at once, in two tabs each, as often as they like: each has one agent at a time, each
agent one answer, the same question the same answer; all else is 409 with the state.
"""

import tempfile
from pathlib import Path
from typing import Any

import attrs
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowdd.protocol.documents import canonical_json
from crowdd.protocol.names import AgentStatus, WireId
from crowdd.storage.errors import NotFound
from crowdd.testing.patient_clock import patient_clock
from crowdd.testing.verdicts import Answered, Verdict

from ..daemon.virtual import Virtual, VirtualPage, open_virtual

WORKERS = ("ann", "bob")
UNITS = 6
LIVE = (AgentStatus.ACCEPTED, AgentStatus.IN_TASK)


@attrs.frozen
class Step:
    """One request: who asks in which tab, what, and how much later than the one before."""

    worker: str
    tab: int
    deed: str
    later_s: float


@attrs.frozen
class Told:
    """What an agent's page was told when it submitted this."""

    agent: str
    content: str
    answered: Answered


STEPS = st.builds(
    Step,
    st.sampled_from(WORKERS),
    st.integers(0, 1),
    st.sampled_from(["register", "register", "submit a", "submit a", "submit b", "return"]),
    st.sampled_from([0.0, 0.0, 0.0, 0.01, 1.0]),
)


class Tabs:
    """Two tabs of each worker's link, and everything they were told."""

    def __init__(self, pages: dict[tuple[str, int], VirtualPage]) -> None:
        self._pages = pages
        self.submissions: list[Told] = []
        self.registered: list[tuple[str, str, str]] = []
        """The worker, the agent that they had finished, and the agent that they got."""
        self.returns: list[Told] = []

    async def act(self, step: Step) -> None:
        page = self._pages[step.worker, step.tab]
        deed, _, content = step.deed.partition(" ")
        if deed == "register":
            after = self._finished(step.worker)
            answered = await page.doors.post(
                "request_agent", {"provider_data": page.doors.registration(after)}, 60
            )
            if answered.agent_id:
                page.agent = answered.agent_id
                self.registered.append((step.worker, after, answered.agent_id))
        elif page.agent:
            await self._hand_over(page, page.agent, deed, content)

    async def _hand_over(self, page: VirtualPage, agent: str, deed: str, content: str) -> None:
        if deed == "return":
            answered = await page.doors.post("return_unit", {"USED_AGENT_ID": agent}, 60)
            self.returns.append(Told(agent, "", answered))
        else:
            body: dict[str, Any] = {"USED_AGENT_ID": agent, "final_data": {"is": content}}
            self.submissions.append(Told(agent, content, await page.doors.post("submit_task", body, 90)))

    def _finished(self, worker: str) -> str:
        own = {agent for name, _, agent in self.registered if name == worker}
        done = [told.agent for told in self.submissions if told.answered.verdict is Verdict.OK]
        return next((agent for agent in reversed(done) if agent in own), "")


async def play(virtual: Virtual, steps: list[Step]) -> None:
    run = await virtual.launch(units=UNITS)
    tabs = Tabs({(name, n): await virtual.page(run, name) for name in WORKERS for n in (0, 1)})
    async with trio.open_nursery() as nursery:
        for step in steps:
            await trio.sleep(step.later_s)
            nursery.start_soon(tabs.act, step)
    everybody = {each.wire_id: each for each in await virtual.storage.agents(run.id)}

    owners: dict[str, str] = {}
    for worker, _, agent in tabs.registered:
        assert owners.setdefault(agent, worker) == worker, "an agent of two workers"
    for name in WORKERS:
        live = [agent for agent in owners if owners[agent] == name]
        assert sum(everybody[WireId(agent)].status in LIVE for agent in live) <= 1
    held = [each.unit_id for each in everybody.values() if each.status in LIVE]
    assert len(held) == len(set(held)), "a unit of two agents"

    for told in tabs.submissions:
        await judge(virtual, told, everybody)
    for told in tabs.returns:
        assert told.answered.verdict is Verdict.OK or told.answered.status, told


async def judge(virtual: Virtual, told: Told, everybody: Any) -> None:
    agent = everybody[told.agent]
    try:
        stored = (await virtual.storage.submission(agent.id)).data
    except NotFound:
        stored = b""
    same = stored == canonical_json({"is": told.content})
    assert told.answered.verdict is (Verdict.OK if same else Verdict.REFUSED), told
    if not same:
        assert told.answered.status == agent.status.value
        assert told.answered.reason == "already_submitted" if stored else told.answered.reason


@given(st.lists(STEPS, min_size=2, max_size=24))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_sec6_however_requests_of_two_workers_interleave_each_has_one_unit_and_one_answer(
    steps: list[Step],
) -> None:
    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with open_virtual(Path(folder)) as virtual:
                await play(virtual, steps)

    trio.run(main, clock=patient_clock())
