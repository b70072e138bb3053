"""The author's code that accompanies the workers of one run: on which stages, in which groups.

In a run without live work there is none, and everything here does nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import attrs
import trio

from ..protocol.names import AgentId, Reason, WireId
from ..protocol.packets import RollCall
from ..storage.records import Agent, OnboardingAgent, TaskRun
from .blueprints.live_contract import LiveRules
from .error_notes import HOOK, ErrorNotes
from .grouping import GroupKeeper, KeeperNeeds, Room, make_keeper
from .groups import GroupRules
from .hooks import RunView
from .house import House
from .live.cast import Cast
from .live.stage import Stage
from .live.stage_tools import StageTools
from .live.unit_cast import UnitCast
from .onboarding import OnboardingCast, RunOnboarding
from .parts import Parts
from .reception import Reception
from .router_link import RouterLink
from .task_config import Limits
from .task_runner import TaskRunner
from .user_code import UserCode


@attrs.frozen
class LiveNeeds:
    """What the live work of a run works with; the functions say how the run is now."""

    run: TaskRun
    view: RunView
    parts: Parts
    house: House
    runner: TaskRunner
    user_code: UserCode
    errors: ErrorNotes
    reception: Reception
    onboarding: RunOnboarding | None
    tell: Callable[[Agent | OnboardingAgent, Reason | None], None]
    limits: Callable[[], Limits]
    goes_on: Callable[[], bool]
    is_paused: Callable[[], bool]
    due_changed: Callable[[Agent], None]


class LiveWork:
    """One per LiveRun."""

    def __init__(self, needs: LiveNeeds) -> None:
        self._n = needs
        self._links: Sequence[RouterLink] = ()
        self._stage: Stage | None = None
        self._groups: GroupKeeper | None = None
        rules = needs.parts.blueprint.live
        if rules is None:
            return
        self._stage = self._make_stage(rules, self._unit_cast())
        needs.reception.carry_live(self._stage, self._onboarding_stage(rules))
        if rules.group is not None:
            self._groups = self._group_keeper(rules.group, self._stage)
            needs.reception.carry_groups(self._groups)

    @property
    def is_there(self) -> bool:
        """Whether the run has live work."""
        return self._stage is not None

    @property
    def pieces(self) -> int:
        """How many pieces are carried on, onboardings among them."""
        onboardings = 0 if self._n.onboarding is None else self._n.onboarding.pieces
        return onboardings + (0 if self._stage is None else self._stage.pieces)

    async def take_up(self, links: Sequence[RouterLink]) -> None:
        """Go on where storage says that it was; `links` lead to the run's pages."""
        self._links = links
        if self._stage is not None:
            await self._stage.take_up()
        if self._groups is not None:
            await self._groups.take_up()

    def serve(self, nursery: trio.Nursery) -> None:
        """Begin to look after it in tasks of this nursery."""
        if self._stage is not None:
            nursery.start_soon(self._stage.serve, self._links)
        if self._groups is not None:
            nursery.start_soon(self._groups.serve, self._links)

    def is_present(self, wire_id: WireId) -> bool:
        """Whether a page of this agent is there, as routers tell it."""
        return self._stage is not None and self._stage.attendance.is_present(wire_id)

    async def rooms(self) -> Sequence[Room]:
        """The groups in which workers wait for others."""
        return [] if self._groups is None else await self._groups.rooms()

    def changed(self, agent: Agent) -> None:
        """An agent was made, or has another status."""
        if self._stage is not None:
            self._stage.changed(agent)

    def look_again(self) -> None:
        """There may be units, or other limits."""
        if self._groups is not None:
            self._groups.look_again()

    async def time_passed(self, agent_id: AgentId, now: datetime) -> None:
        """An agent's time is over, or what it waited for."""
        await (self._n.runner if self._groups is None else self._groups).time_passed(agent_id, now)

    # how it is put together

    def _make_stage(self, rules: LiveRules, cast: Cast) -> Stage:
        tools = StageTools(
            house=self._n.house,
            cast=cast,
            blueprint=self._n.parts.blueprint,
            rules=rules,
            user_code=self._n.user_code,
            failed=partial(self._n.errors.note, HOOK),
            tell=self._n.tell,
            active=self._n.reception.was_active,
        )
        return Stage(tools)

    def _unit_cast(self) -> UnitCast:
        return UnitCast(
            storage=self._n.house.storage,
            run=self._n.view,
            folders=self._n.house.run_folder(self._n.view.id) / "agents",
            blueprint=self._n.parts.blueprint,
            runner=self._n.runner,
            submission_timeout_s=lambda: self._n.limits().submission_timeout_s,
        )

    def _onboarding_stage(self, rules: LiveRules) -> Stage | None:
        """Where code accompanies onboardings; None: in this run none does."""
        onboarding = self._n.onboarding
        if onboarding is None or onboarding.results is None:
            return None
        cast = OnboardingCast(
            storage=self._n.house.storage,
            run=self._n.view,
            folders=self._n.house.run_folder(self._n.view.id) / "onboardings",
            blueprint=self._n.parts.blueprint,
            lives=onboarding.lives,
            results=onboarding.results,
            judge=self._n.reception.judge_onboarding,
        )
        stage = self._make_stage(rules, cast)
        onboarding.play(stage)
        return stage

    def _group_keeper(self, rules: GroupRules, stage: Stage) -> GroupKeeper:
        needs = KeeperNeeds(
            run=self._n.run,
            view=self._n.view,
            house=self._n.house,
            runner=self._n.runner,
            stage=stage,
            blueprint=self._n.parts.blueprint,
            user_code=self._n.user_code,
            work_s=lambda: self._n.limits().assignment_duration_s,
            ask=self._ask_presence,
            goes_on=self._n.goes_on,
            is_paused=self._n.is_paused,
            due_changed=self._n.due_changed,
            failed=partial(self._n.errors.note, HOOK),
        )
        return make_keeper(rules, needs)

    def _ask_presence(self, agent: Agent, within_s: float) -> None:
        for link in self._links:
            link.send(RollCall(agent.wire_id, within_s))
