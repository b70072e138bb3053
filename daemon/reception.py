"""Where requests of one run's pages arrive: admission, intake, and the packets to and fro, put together."""

from contextlib import suppress

import attrs
import trio

from ..protocol.names import SENTENCES, Outcome, Reason
from ..protocol.packets import (
    AgentDetails,
    Answer,
    RegisterAgent,
    ReturnUnit,
    SubmitMetadata,
    SubmitOnboarding,
    SubmitUnit,
)
from ..storage.errors import StorageFull
from ..storage.records import Agent, OnboardingAgent, TaskRun, Worker
from .admission_replies import Replies
from .admission_rules import rules_of
from .admission_tools import Desk, GroupDoor, Seat, Tools
from .client_io import ClientIO, Handlers, Link
from .follow_ups import FollowUps
from .hooks import Hooks
from .house import House
from .intake import Fetch, Intake, IntakeTools
from .late_answers import LateAnswers
from .lifecycle import IllegalEvent, WentAway
from .live.doors import LiveDoors
from .live.stage import Stage
from .onboarding import OnboardingDesk, RunOnboarding, VerdictTools
from .parts import Parts
from .router_link import RouterLink
from .special_data import special_rows
from .task_config import RunConfig
from .task_runner import TaskRunner
from .upload_types import UploadTypes
from .worker_pool import WorkerPool


class Reception:
    """One per LiveRun. Knows when somebody last came; decides nothing itself."""

    def __init__(
        self,
        run: TaskRun,
        parts: Parts,
        house: House,
        runner: TaskRunner,
        hooks: Hooks,
        follow_ups: FollowUps,
        onboarding: RunOnboarding | None,
        desk: Desk,
    ) -> None:
        self.active_at = trio.current_time()
        """When somebody last asked for work or submitted."""
        self._desk = desk
        storage, wall = house.storage, house.wall
        metrics = house.metrics.run(run.label)
        self._tools = Tools(
            run=run,
            config=parts.config,
            storage=storage,
            provider=parts.provider,
            blueprint=parts.blueprint,
            hooks=hooks,
            rules=rules_of(parts.config, hooks.names),
            runner=runner,
            wall=wall,
            rng=house.rng,
            metrics=metrics,
            rows=special_rows(parts.config, house.task_folder(run.launch_id)),
        )
        self._onboarding = None if onboarding is None else self._onboarding_desk(self._tools, onboarding)
        self._pool = WorkerPool(self._tools, desk, self._onboarding)
        files = house.uploads(run.id)
        late = LateAnswers(run, storage, wall, lambda: self._tools.config.limits.maximum_units_per_worker)
        types = UploadTypes(parts.config.upload_rule, house.user_code.off_loop)
        texts = dict(parts.config.texts)
        self._intake = Intake(IntakeTools(run, texts, storage, runner, wall, files, types, follow_ups, late))
        self.io = ClientIO(run, storage, wall, self._handlers(), metrics)
        self._links: list[RouterLink] = []

    def use(self, config: RunConfig) -> None:
        """The run is configured so from now on."""
        rules = rules_of(config, self._tools.hooks.names)
        self._tools = attrs.evolve(self._tools, config=config, rules=rules)
        self._pool.use(self._tools)

    def carry_live(self, stage: Stage, onboardings: Stage | None = None) -> None:
        """The run's live work: its packets go there, pages are told its past."""
        self.io.carry_live(stage if onboardings is None else LiveDoors(stage, onboardings))
        if self._onboarding is not None and onboardings is not None:
            self._onboarding.carry_live(onboardings.past)
        self._tools = attrs.evolve(self._tools, past=stage.past)
        self._pool.use(self._tools)

    def carry_groups(self, groups: GroupDoor) -> None:
        """The run's work is done in groups."""
        self._tools = attrs.evolve(self._tools, groups=groups)
        self._pool.use(self._tools)

    async def judge_onboarding(self, agent: OnboardingAgent) -> None:
        """Reach the verdict of an onboarding now, if that can be; its page need not ask for it."""
        if self._onboarding is not None:
            await self._onboarding.judge(agent)

    def was_active(self) -> None:
        """Somebody came, or said something."""
        self.active_at = trio.current_time()

    def connect(self, links: list[RouterLink]) -> None:
        """These are the run's routers."""
        self._links = links
        self.io.links = list(links)

    def _handlers(self) -> Handlers:
        return Handlers(
            self._register,
            self._submit_onboarding,
            self._submit_unit,
            self._submit_metadata,
            self._return_unit,
            self._desk.failed,
            self._gone if self._tools.config.release_on_close else None,
        )

    async def _gone(self, agent: Agent) -> None:
        """The worker closed the page, and the run says that this gives the unit back.

        On a full disk it is told again: a page that is closed is in each report of its router.
        """
        with suppress(IllegalEvent, StorageFull):
            await self._tools.runner.happen(agent.id, WentAway())

    async def _register(self, packet: RegisterAgent) -> AgentDetails:
        self.active_at = trio.current_time()
        return await self._pool.register(packet)

    def _onboarding_desk(self, tools: Tools, onboarding: RunOnboarding) -> OnboardingDesk:
        assert tools.config.onboarding is not None
        verdicts = VerdictTools(
            tools.run,
            tools.config.onboarding,
            tools.storage,
            tools.wall,
            tools.hooks,
            tools.config.admission.made_qualifications(),
            onboarding.lives,
            tools.metrics,
            onboarding.results,
        )
        return OnboardingDesk(verdicts, Replies(tools), self._admit_after)

    async def _admit_after(self, request: str, worker: Worker, seat: Seat) -> AgentDetails:
        return await self._pool.admit_after_onboarding(request, worker, seat)

    async def _submit_onboarding(self, packet: SubmitOnboarding) -> AgentDetails:
        self.active_at = trio.current_time()
        if self._onboarding is not None:
            return await self._onboarding.submit(packet)
        reason = Reason.UNKNOWN_AGENT  # nobody is onboarded in this run: the id can only be wrong
        return AgentDetails(packet.request, Outcome.REFUSED, failure_reason=SENTENCES[reason], reason=reason)

    async def _submit_unit(self, packet: SubmitUnit, link: Link) -> Answer:
        self.active_at = trio.current_time()
        return await self._intake.submit_unit(packet, self._fetch(link))

    async def _submit_metadata(self, packet: SubmitMetadata, link: Link) -> Answer:
        return await self._intake.submit_metadata(packet, self._fetch(link))

    async def _return_unit(self, packet: ReturnUnit) -> Answer:
        if self._onboarding is not None and (agent := await self._onboarding.find(packet.subject)):
            return await self._onboarding.give_back(packet, agent)
        return await self._intake.return_unit(packet)

    def _fetch(self, link: Link) -> Fetch:
        """Files are where the request came by."""
        return next(own for own in self._links if own is link).fetch_file
