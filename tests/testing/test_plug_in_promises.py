"""The promises of plug-ins are found broken where they are, and each is broken by something."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from crowdd.daemon.blueprints import Blueprint, Row
from crowdd.daemon.blueprints.mock import MockBlueprint
from crowdd.daemon.blueprints.static import StaticBlueprint
from crowdd.daemon.providers import Identity, ProviderSays
from crowdd.daemon.providers.inhouse import InhouseProvider
from crowdd.daemon.providers.mock import MockProvider
from crowdd.protocol.names import AgentStatus, Reason
from crowdd.storage.records import Agent, Worker
from crowdd.testing.plug_ins import (
    BLUEPRINT_PROMISES,
    PROVIDER_PROMISES,
    PromiseBroken,
    a_material,
    certify_blueprint,
    certify_provider,
)
from crowdd.testing.plug_ins.promise import sentence

STATIC = {"page/index.html": '<script src="crowdd.js"></script>', "data.jsonl": '{"a": 1}\n{"_b": 2}\n'}
_chance = count()


def broken_promises(certify: Callable[[], None]) -> set[str]:
    with pytest.raises(PromiseBroken) as refused:
        certify()
    return {line[2:].split(":")[0] for line in str(refused.value).splitlines() if line.startswith("- ")}


def test_our_own_blueprints_keep_theirs(tmp_path: Path) -> None:
    certify_blueprint(StaticBlueprint, a_material(tmp_path, STATIC))
    certify_blueprint(MockBlueprint, a_material(tmp_path), units_per_assignment=2)


def test_our_own_providers_keep_theirs_as_they_are_certified_by_authors() -> None:
    certify_provider(InhouseProvider, link_days=1)
    certify_provider(MockProvider)


def test_what_is_broken_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(PromiseBroken) as refused:
        certify_blueprint(MockBlueprint, a_material(tmp_path), faults=["page: too ugly"])
    assert str(refused.value) == (
        "MockBlueprint:\n- a good task has no faults: check() found ['page: too ugly']"
    )


class Good(MockBlueprint):
    """What the broken ones below are made from."""


class Faulty(Good):
    def check(self) -> list[str]:
        return ["x"]


class Idle(Good):
    def rows(self) -> Iterator[Row]:
        return iter(())


class Chancy(Good):
    def rows(self) -> Iterator[Row]:
        yield Row({"n": next(_chance)}, [{}])


class Unitless(Good):
    def rows(self) -> Iterator[Row]:
        yield Row({}, [])


class Unwritable(Good):
    def rows(self) -> Iterator[Row]:
        yield Row({"when": {1, 2}}, [{}])


class Raw(Good):
    def init_data(self, assignment: Any, unit: Any) -> Any:
        return b"bytes"


class Mute(Good):
    def page_files(self) -> Mapping[str, bytes]:
        return {"index.html": b"<p>hello"}


class Scriptless(Good):
    def page_files(self) -> Mapping[str, bytes]:
        return {"index.html": b'<script src="crowdd.js"></script>'}


class Usurping(Good):
    def page_files(self) -> Mapping[str, bytes]:
        return {**super().page_files(), "wrap_crowd_source.js": b""}


class Changing(Good):
    def page_files(self) -> Mapping[str, bytes]:
        return {**super().page_files(), "build.txt": str(next(_chance)).encode()}


class Misconfigured(Good):
    def task_config(self) -> dict[str, Any]:
        return {"path": Path()}


class Rushed(Good):
    def first_status(self, unit_index: int) -> AgentStatus:
        return AgentStatus.COMPLETED


BAD_BLUEPRINTS: list[tuple[type[Blueprint], str]] = [
    (Faulty, "a_good_task_has_no_faults"),
    (Idle, "there_is_work"),
    (Chancy, "rows_are_the_same_after_a_restart"),
    (Unitless, "every_row_has_units"),
    (Unwritable, "rows_are_json"),
    (Raw, "the_page_is_given_json"),
    (Mute, "there_is_a_page_that_registers_workers"),
    (Scriptless, "a_page_that_loads_crowdd_js_has_it"),
    (Usurping, "pages_can_be_served"),
    (Changing, "pages_are_the_same_after_a_restart"),
    (Misconfigured, "the_task_config_is_json"),
    (Rushed, "an_agent_begins_at_work_or_waiting"),
]


@pytest.mark.parametrize(("blueprint", "promise"), BAD_BLUEPRINTS)
def test_a_bad_blueprint_is_found(tmp_path: Path, blueprint: type[Blueprint], promise: str) -> None:
    said = broken_promises(lambda: certify_blueprint(blueprint, a_material(tmp_path)))
    assert promise.replace("_", " ") in said


def test_every_promise_of_a_blueprint_can_be_broken() -> None:
    assert {promise for _, promise in BAD_BLUEPRINTS} == {promise.__name__ for promise in BLUEPRINT_PROMISES}


class Careless(MockProvider):
    @classmethod
    def check(cls, options: Any, folder: Path) -> list[str]:
        return ["x"]


class Once(MockProvider):
    async def set_up(self) -> None:
        if await self.place.storage.fact("once", "done"):
            raise RuntimeError("set up already")
        await self.place.storage.put_fact("once", "done", value=True)


class Changed(MockProvider):
    """Verifies as the mock does, and then changes its mind about some of it."""

    changes: ClassVar[Mapping[str, Any]] = {"worker_name": "eve_sandbox"}

    async def verify(self, provider_data: Mapping[str, Any]) -> Identity:
        return attrs.evolve(await super().verify(provider_data), **self.changes)


class Mixing(Changed):
    changes: ClassVar[Mapping[str, Any]] = {"worker_name": "ann"}


class Linkless(Changed):
    changes: ClassVar[Mapping[str, Any]] = {"link": "the same"}


class Forgetful(Changed):
    changes: ClassVar[Mapping[str, Any]] = {"after": None}


class Fresh(MockProvider):
    async def verify(self, provider_data: Mapping[str, Any]) -> Identity:
        return attrs.evolve(await super().verify(provider_data), link=str(next(_chance)))


class Credulous(MockProvider):
    async def verify(self, provider_data: Mapping[str, Any]) -> Identity:
        return Identity("ann_sandbox", "link", None)


class Talkative(InhouseProvider):
    async def verify(self, provider_data: Mapping[str, Any]) -> Identity:
        return attrs.evolve(await super().verify(provider_data), agent_data=provider_data)


class Hostile(MockProvider):
    async def admits(self, worker: Worker) -> Reason | None:
        return Reason.BLOCKED


class Toothless(MockProvider):
    async def admits(self, worker: Worker) -> Reason | None:
        return None


class Misled(MockProvider):
    def bar(self, worker_name: str) -> tuple[str, str]:
        return "mock:another book", worker_name


class Strict(MockProvider):
    async def unblock(self, worker: Worker) -> None:
        if await self.admits(worker) is None:
            raise LookupError("is not blocked")


class Miserly(MockProvider):
    async def bonus(self, worker: Worker, cents: int, reason: str, payment_id: str) -> None:
        if payment_id in await self.payments():
            raise LookupError("paid before")
        await super().bonus(worker, cents, reason, payment_id)


class Generous(MockProvider):
    async def bonus(self, worker: Worker, cents: int, reason: str, payment_id: str) -> None:
        return


class Meddling(MockProvider):
    async def approve(self, agent: Agent, note: str | None) -> None:
        raise NotImplementedError


class Silent(MockProvider):
    def news(self) -> Any:
        async def none() -> Any:
            for said in list[ProviderSays]():
                yield said

        return none()


class Bare(MockProvider):
    def page_script(self) -> str:
        return "function getWorkerName() {}"


BAD_PROVIDERS: list[tuple[type[MockProvider | InhouseProvider], str]] = [
    (Careless, "a_good_task_has_no_faults"),
    (Once, "setting_up_twice_is_setting_up"),
    (Changed, "who_comes_by_their_link_is_known_by_name"),
    (Mixing, "workers_that_cannot_be_paid_are_kept_apart"),
    (Fresh, "a_link_leads_to_the_same_place_after_a_restart"),
    (Linkless, "two_workers_come_by_two_links"),
    (Forgetful, "after_is_what_the_page_has_finished_or_not_said"),
    (Credulous, "a_page_that_says_nothing_usable_is_not_believed"),
    (Talkative, "nothing_that_is_kept_is_secret"),
    (Hostile, "a_worker_nobody_blocked_is_welcome"),
    (Toothless, "a_blocked_worker_is_not_welcome_until_unblocked"),
    (Misled, "what_bars_a_worker_is_there_while_they_are_blocked"),
    (Strict, "unblocking_somebody_who_is_not_blocked_does_nothing"),
    (Miserly, "the_same_payment_may_be_made_again"),
    (Generous, "a_payment_id_stands_for_one_payment_only"),
    (Meddling, "the_life_of_a_unit_at_the_provider"),
    (Silent, "news_wait_until_cancelled"),
    (Bare, "the_page_script_has_what_pages_look_for"),
]


@pytest.mark.parametrize(("provider", "promise"), BAD_PROVIDERS)
def test_a_bad_provider_is_found(provider: type[MockProvider | InhouseProvider], promise: str) -> None:
    assert promise.replace("_", " ") in broken_promises(lambda: certify_provider(provider))


def test_every_promise_of_a_provider_can_be_broken() -> None:
    assert {promise for _, promise in BAD_PROVIDERS} == {promise.__name__ for promise in PROVIDER_PROMISES}


def test_a_promise_is_a_sentence() -> None:
    assert sentence(PROVIDER_PROMISES[-1]) == "the page script has what pages look for"
