"""The admission desk and intake of one run over memory storage, without links: packets in, answers out."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import trio

from crowdd.daemon.admission_rules import rules_of
from crowdd.daemon.admission_tools import Tools
from crowdd.daemon.blueprints.contract import Material
from crowdd.daemon.blueprints.mock import MockBlueprint
from crowdd.daemon.follow_up_rules import judging_rules
from crowdd.daemon.follow_ups import FollowUps, FollowUpTools
from crowdd.daemon.hooks import HookName, Hooks, Judged, RunView, TaskView
from crowdd.daemon.house import House
from crowdd.daemon.intake import Intake, IntakeTools
from crowdd.daemon.late_answers import LateAnswers
from crowdd.daemon.providers.contract import Place
from crowdd.daemon.providers.mock import MockProvider
from crowdd.daemon.registry import installed_plug_ins
from crowdd.daemon.special_data import special_rows
from crowdd.daemon.task_config import RunConfig
from crowdd.daemon.task_runner import Doors, TaskRunner
from crowdd.daemon.task_structuring import config_from_json
from crowdd.daemon.upload_types import UploadTypes
from crowdd.daemon.worker_pool import WorkerPool
from crowdd.protocol.names import AgentId, AgentStatus, Reason, WorkerId
from crowdd.protocol.packets import (
    AgentDetails,
    Answer,
    FileNote,
    RegisterAgent,
    ReturnUnit,
    SubmitMetadata,
    SubmitUnit,
)
from crowdd.storage.records import Agent, TaskRun

from .conftest import a_run, launched_units


def a_config(sections: Mapping[str, Any] | None = None, **limits: float) -> RunConfig:
    document: dict[str, Any] = {
        "name": "digits",
        "blueprint": {"type": "mock"},
        "provider": {"type": "mock"},
        "architect": {"type": "mock"},
        "limits": {"no_submission_patience_s": 0, **limits},
        **(sections or {}),
    }
    return config_from_json(document, installed_plug_ins())


@attrs.define(eq=False)
class Desk:
    """One run with its pool and intake; what was told to pages is in `told`."""

    house: House
    run: TaskRun
    config: RunConfig
    provider: MockProvider
    runner: TaskRunner
    told: list[tuple[AgentStatus, Reason | None]]
    hooks: Mapping[HookName, Callable[..., Any]] = attrs.Factory(dict[HookName, Callable[..., Any]])
    closed_for: Reason | None = None
    failures: list[str] = attrs.Factory(list[str])
    units_per_worker: int = 0
    pool: WorkerPool = attrs.field(init=False)
    intake: Intake = attrs.field(init=False)
    follow_ups: FollowUps = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        blueprint = MockBlueprint(self.config.blueprint.options, Material(self.house.data, self.config))
        metrics = self.house.metrics.run(self.run.label)
        view = RunView(self.run.id, self.run.label, TaskView(self.config.task))
        hooks = Hooks(self.hooks, view, self.house.user_code, metrics, self.failed)
        tools = Tools(
            run=self.run,
            config=self.config,
            storage=self.house.storage,
            provider=self.provider,
            blueprint=blueprint,
            hooks=hooks,
            rules=rules_of(self.config, hooks.names),
            runner=self.runner,
            wall=self.house.wall,
            rng=self.house.rng,
            metrics=metrics,
            rows=special_rows(self.config, self.house.data),
        )
        self.pool = WorkerPool(tools, self)
        made = self.config.admission.made_qualifications()
        self.follow_ups = FollowUps(
            FollowUpTools(
                self.run,
                judging_rules(self.config),
                made,
                self.house.storage,
                self.house.wall,
                hooks,
                nobody_reviews,
                lambda: None,
            )
        )
        storage, wall, files = self.house.storage, self.house.wall, self.house.data
        late = LateAnswers(self.run, storage, wall, lambda: self.units_per_worker)
        types = UploadTypes(self.config.upload_rule, self.house.user_code.off_loop)
        self.intake = Intake(
            IntakeTools(self.run, {}, storage, self.runner, wall, files, types, self.follow_ups, late)
        )

    def closed(self) -> Reason | None:
        return self.closed_for

    async def settled(self, worker_id: WorkerId) -> None:
        await trio.lowlevel.checkpoint()

    def judged(self) -> int | None:
        return self.follow_ups.judged

    async def caught_up(self) -> bool:
        return await self.follow_ups.caught_up()

    def due_changed(self, agent: Agent) -> None:
        pass

    async def failed(self, doing: str, error: Exception, agent_id: AgentId | None = None) -> None:
        self.failures.append(doing)

    async def register(self, worker: str, after: str | None = "", link: str = "") -> AgentDetails:
        provider_data: dict[str, Any] = {"worker_name": worker, "agent_registration_id": link or worker}
        if after is not None:
            provider_data["after"] = after
        packet = RegisterAgent("r1", provider_data, crowdd_client=after is not None)
        return await self.pool.register(packet)

    async def agent(self, worker: str) -> AgentDetails:
        details = await self.register(worker)
        assert details.agent_id is not None, details
        return details

    async def submit(
        self, details: AgentDetails, data: Any, files: list[FileNote] | None = None, answered: bool = False
    ) -> Answer:
        assert details.agent_id is not None
        packet = SubmitUnit(details.agent_id, "r2", data, files or [], answered)
        return await self.intake.submit_unit(packet, self.fetch)

    async def tell(self, details: AgentDetails, metadata: Any) -> Answer:
        assert details.agent_id is not None
        return await self.intake.submit_metadata(SubmitMetadata(details.agent_id, "r3", metadata), self.fetch)

    async def give_back(self, details: AgentDetails) -> Answer:
        assert details.agent_id is not None
        return await self.intake.return_unit(ReturnUnit(details.agent_id, "r4"))

    async def fetch(self, sha256: str, into: Path) -> None:
        into.write_bytes(b"fetched " + sha256.encode())

    async def stored(self, details: AgentDetails) -> Agent:
        assert details.agent_id is not None
        return await self.house.storage.agent_by_wire_id(details.agent_id)


async def nobody_reviews(agent_id: AgentId, judged: Judged) -> str | None:
    raise AssertionError("no task of these tests judges work by itself")


async def a_desk(
    house: House,
    units: int = 3,
    hooks: Mapping[HookName, Callable[..., Any]] | None = None,
    sections: Mapping[str, Any] | None = None,
    label: str = "digits",
    provider: type[MockProvider] = MockProvider,
    **limits: float,
) -> Desk:
    """`sections` of task.toml beside `[limits]`; the qualifications that they make are there."""
    run = await a_run(house, label)
    await launched_units(house, run, units)
    return await a_desk_of(house, run, a_config(sections, **limits), hooks, provider)


async def a_desk_of(
    house: House,
    run: TaskRun,
    config: RunConfig,
    hooks: Mapping[HookName, Callable[..., Any]] | None = None,
    made_by: type[MockProvider] = MockProvider,
) -> Desk:
    """The desk of a run that is there already, as after a restart."""
    await house.storage.ensure_qualifications(config.admission.made_qualifications(), house.wall())
    provider = made_by(MockProvider.Options(), Place(run, house.storage, house.wall, house.rng, b"s" * 32))
    told: list[tuple[AgentStatus, Reason | None]] = []

    def tell(agent: Agent, reason: Reason | None) -> None:
        told.append((agent.status, reason))

    doors = Doors(tell, provider.mark_done, lambda: None, lambda agent: None)
    runner = TaskRunner(run, house.storage, house.wall, doors)
    return Desk(house, run, config, provider, runner, told, hooks or {})
