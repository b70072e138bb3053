"""Who carries a held run on: reception, supply, timekeeper and the others; and who of them tells whom."""

import logging
from datetime import datetime
from functools import partial

from ...protocol.names import AgentId, PieceKind, Reason, RunState
from ...storage.records import Agent, OnboardingAgent, TaskRun
from ..course import Course
from ..error_notes import HOOK, PLUG_IN, ErrorNotes
from ..follow_up_rules import judging_rules
from ..follow_ups import FollowUps, FollowUpTools, Review
from ..hooks import Hooks, RunView, TaskView
from ..house import House
from ..live_work import LiveNeeds, LiveWork
from ..log_ids import ids_of
from ..onboarding import RunOnboarding
from ..parts import Parts
from ..patience import Patience
from ..presence import give_back
from ..provider_news import ProviderNews
from ..providers.contract import ProviderFailed
from ..reception import Reception
from ..row_source import RowSource
from ..supply import Supply
from ..task_config import Limits, RunConfig
from ..task_runner import Doors, TaskRunner
from ..terms import Affected, RunTerms
from ..timekeeper import Timekeeper, Timing
from ..user_code import UserCode
from .desk import RunDesk
from .ending import Ending
from .routers import RunRouters

log = logging.getLogger(__name__)


class Crew:
    """One per LiveRun, made anew at every start; begins nothing by itself."""

    def __init__(self, run: TaskRun, parts: Parts, house: House, rows: RowSource, review: Review) -> None:
        self._parts = parts
        self._house = house
        self.routers = RunRouters(parts, house)
        self.course = Course(run, house.storage, house.wall, self._moved)
        doors = Doors(self.tell, self._mark_done, self.refill, self.due_changed)
        self.runner = TaskRunner(run, house.storage, house.wall, doors)
        self._errors = ErrorNotes(run.id, house.storage, house.wall)
        self._view = RunView(run.id, run.label, TaskView(parts.config.task))
        self.timekeeper = self._make_timekeeper(parts.config.limits)
        user_code = house.user_code.for_run()
        hooks = self._make_hooks(user_code)
        self.onboarding = self._make_onboarding()
        self.follow_ups = self._make_follow_ups(hooks, review)
        self.desk = RunDesk(self.course, self.follow_ups, self._errors, self.due_changed)
        self.reception = Reception(
            run, parts, house, self.runner, hooks, self.follow_ups, self.onboarding, self.desk
        )
        self.live_work = LiveWork(self._live_needs(user_code))
        self.supply = self._make_supply(rows, user_code)
        self.news = ProviderNews(run.id, parts.provider, house.storage, self.runner)
        limits = parts.config.limits
        self.patience = Patience(self._last_activity, limits.no_submission_patience_s, run.paused)
        affected = Affected(self.supply.launcher, self.patience, self._use, self.due_changed)
        self.terms = RunTerms(run, parts, house, affected, self.course.deciding)
        self.ending = Ending(
            self.course, house.storage, self.supply.launcher, self.follow_ups, self.onboarding
        )

    # --- how each is made

    def _make_timekeeper(self, limits: Limits) -> Timekeeper[Agent]:
        timed = partial(self._house.storage.reserved_agents, self.course.run.id)
        timing = Timing(timed, self._time_passed, partial(give_back, self._house))
        return Timekeeper(self._house, _longest_s(limits), limits.rejoin_s, timing)

    def _make_hooks(self, user_code: UserCode) -> Hooks:
        return Hooks(
            self._parts.hooks.functions,
            self._view,
            user_code,
            self._house.metrics.run(self.course.run.label),
            partial(self._errors.note, HOOK),
        )

    def _make_onboarding(self) -> RunOnboarding | None:
        if self._parts.config.onboarding is None:
            return None
        by_code = self._parts.blueprint.play(PieceKind.ONBOARDING) is not None
        return RunOnboarding(self.course.run, self._parts.config, self._house, self.tell, by_code)

    def _make_follow_ups(self, hooks: Hooks, review: Review) -> FollowUps:
        tools = FollowUpTools(
            self.course.run,
            judging_rules(self._parts.config),
            self._parts.config.admission.made_qualifications(),
            self._house.storage,
            self._house.wall,
            hooks,
            review,
            self.look_again,
        )
        return FollowUps(tools)

    def _make_supply(self, rows: RowSource, user_code: UserCode) -> Supply:
        return Supply(
            self.course,
            self._parts,
            self._house,
            rows,
            user_code,
            self._errors,
            lambda: self.routers.address or "",
            self.refill,
        )

    def _live_needs(self, user_code: UserCode) -> LiveNeeds:
        return LiveNeeds(
            run=self.course.run,
            view=self._view,
            parts=self._parts,
            house=self._house,
            runner=self.runner,
            user_code=user_code,
            errors=self._errors,
            reception=self.reception,
            onboarding=self.onboarding,
            tell=self.tell,
            limits=lambda: self.terms.config.limits,
            goes_on=lambda: self.course.state is RunState.RUNNING,
            is_paused=lambda: self.terms.paused,
            due_changed=self.due_changed,
        )

    # --- who tells whom

    def tell(self, agent: Agent | OnboardingAgent, reason: Reason | None) -> None:
        """An agent's status is another, or is to be said again: its page hears it."""
        self.reception.io.tell(agent, reason)
        self.course.tick()

    def due_changed(self, agent: Agent) -> None:
        """An agent was made, or has other time or another status."""
        self.timekeeper.due_changed(agent)
        self.live_work.changed(agent)
        self.course.tick()

    def refill(self) -> None:
        """There may be units to launch or to give, or none any more."""
        self.supply.launcher.refill()
        self.look_again()
        self.live_work.look_again()
        self.course.tick()

    def look_again(self) -> None:
        """It may be that nothing is left to do."""
        self.ending.look_again()

    async def _mark_done(self, agent: Agent) -> None:
        try:
            await self._parts.provider.mark_done(agent)
        except ProviderFailed as exc:
            log.exception("could not be marked done at the provider", extra=ids_of(agent))
            await self._errors.note(PLUG_IN, "marking work as done", exc, agent.id)

    async def _time_passed(self, agent_id: AgentId, now: datetime) -> None:
        await self.live_work.time_passed(agent_id, now)

    def _moved(self, state: RunState) -> None:
        self.runner.run_state = state

    def _last_activity(self) -> float:
        return self.reception.active_at

    def _use(self, config: RunConfig) -> None:
        self.reception.use(config)
        self.timekeeper.use(_longest_s(config.limits))
        if self.onboarding is not None:
            self.onboarding.use(config.limits)


def _longest_s(limits: Limits) -> float:
    """More time than this nobody has, for a unit or to come back."""
    return max(limits.assignment_duration_s, limits.rejoin_s)
