"""What routers are told anew of agents that have ended, so that they can answer while the daemon is away."""

from collections.abc import AsyncGenerator

from ..protocol.limits import STATES_MAX
from ..protocol.names import LIVE_AGENT, SENTENCES, AgentStatus, Reason
from ..protocol.packets import UpdateStatus
from ..storage.contract import Storage
from ..storage.records import Agent, TaskRun

AGENTS_AT_ONCE = 200  # between two of them other tasks have their turn
_ENDED = frozenset(AgentStatus) - LIVE_AGENT


async def last_words(run: TaskRun, storage: Storage) -> AsyncGenerator[list[UpdateStatus]]:
    """Of the run's newest agents, at most as many as a link remembers, those that have ended; oldest first.

    Onboardings are left out: what follows one is decided anew in any case.
    """
    held = {agent.id for agent in await storage.reserved_agents(run.id)}
    texts: dict[str, str] = dict(run.config.get("texts", {}))
    after = max(0, await _newest(run, storage) - STATES_MAX)
    while agents := await storage.agents(run.id, _ENDED, after=after, limit=AGENTS_AT_ONCE):
        yield [_last_word(agent, agent.id in held, texts) for agent in agents]
        after = agents[-1].id


async def _newest(run: TaskRun, storage: Storage) -> int:
    """The id of the run's newest agent, in steps that double and halve; 0 when there is none."""
    newest, step = 0, 1
    while step:
        found = await storage.agents(run.id, after=newest + step - 1, limit=1)
        if found:
            newest, step = found[0].id, step * 2
        else:
            step //= 2
    return newest


def _last_word(agent: Agent, is_held: bool, texts: dict[str, str]) -> UpdateStatus:
    reason = _reason(agent, is_held)
    text = None if reason is None else texts.get(reason.value, SENTENCES[reason])
    return UpdateStatus(agent.wire_id, agent.version, agent.status, reason, text)


def _reason(agent: Agent, is_held: bool) -> Reason | None:
    """As it was told when the agent ended; "come back" only while there is something to come back to."""
    if agent.reason is None or agent.reason not in Reason._value2member_map_:
        return None
    reason = Reason(agent.reason)
    return Reason.TASK_MISSING if reason is Reason.SHUTDOWN and not is_held else reason
