"""Puts the keeper of a run's groups together."""

from collections.abc import Awaitable, Callable

import attrs

from ...protocol.names import AgentId
from ...storage.records import Agent, TaskRun
from ..blueprints.contract import Blueprint
from ..groups import GroupRules
from ..hooks.views import RunView
from ..house import House
from ..live.stage import Stage
from ..task_runner import TaskRunner
from ..user_code import UserCode
from .gathering import Gathering, GroupTools
from .keeper import GroupKeeper
from .leaving import Leaving
from .partners import Partners, PartnerTools
from .signs import Signs


@attrs.frozen
class KeeperNeeds:
    """What of a run its groups need."""

    run: TaskRun
    view: RunView
    house: House
    runner: TaskRunner
    stage: Stage
    blueprint: Blueprint
    user_code: UserCode
    work_s: Callable[[], float]
    ask: Callable[[Agent, float], None]
    goes_on: Callable[[], bool]
    is_paused: Callable[[], bool]
    due_changed: Callable[[Agent], None]
    failed: Callable[[str, BaseException, AgentId | None], Awaitable[None]]


def make_keeper(rules: GroupRules, needs: KeeperNeeds) -> GroupKeeper:
    """The keeper; the stage tells it what happens, and the runner asks it whose seat returns."""
    partners = Partners(
        PartnerTools(
            needs.run,
            needs.view,
            needs.house,
            needs.runner,
            needs.stage,
            needs.blueprint,
            needs.user_code,
            needs.due_changed,
            needs.failed,
        )
    )

    def has_partner() -> bool:
        return partners.can_be_had and needs.goes_on() and not needs.is_paused()

    tools = GroupTools(
        needs.house,
        needs.runner,
        rules,
        Signs(),
        needs.work_s,
        needs.stage.attendance.is_present,
        needs.ask,
        needs.goes_on,
        has_partner,
        partners.fill,
    )
    gathering = Gathering(tools)
    keeper = GroupKeeper(tools, gathering, Leaving(tools, gathering, needs.stage.groups), partners)
    needs.stage.watch_groups(keeper)
    needs.runner.returns = keeper.returns
    return keeper
