"""The blueprint `mock` as live work: an echo, a relay, and what tests may set of its rules."""

from pathlib import Path
from typing import Any

import pytest

from crowdd.daemon.blueprints import mock_code
from crowdd.daemon.blueprints.contract import Material
from crowdd.daemon.blueprints.live_contract import GroupRules, LiveRules, Policy, Waiting
from crowdd.daemon.blueprints.mock import MockBlueprint
from crowdd.daemon.registry import Kind, installed_plug_ins
from crowdd.daemon.task_config import ConfigRefused
from crowdd.daemon.task_structuring import config_from_json
from crowdd.protocol.names import AgentStatus, PieceKind


def mock(code: dict[str, Any] | None = None, **options: Any) -> MockBlueprint:
    config = config_from_json({"name": "x", "blueprint": {"type": "mock", **options}})
    return MockBlueprint(config.blueprint.options, Material(Path("none"), None, None, code or {}))


def test_it_runs_no_code_unless_it_is_told_to() -> None:
    made = mock()
    assert (made.live, made.play(PieceKind.UNIT), made.named_functions()) == (None, None, {})
    assert made.play_partner() is None


def test_a_live_mock_echoes_and_answers_calls() -> None:
    made = mock(live=True)
    assert made.live == LiveRules()
    assert made.play(PieceKind.UNIT) is mock_code.echo
    assert made.play(PieceKind.ONBOARDING) is None
    assert made.named_functions()["echo"](None, {"a": 1}) == {"a": 1}
    assert made.first_status(0) is AgentStatus.IN_TASK


def test_a_mock_group_has_as_many_units_a_row_and_waits() -> None:
    out = {"policy": "simulated"}
    made = mock(group=3, group_min=2, num_assignments=1, waiting={"limit_s": 5.0}, drop_out=out)
    assert made.live is not None
    assert made.live.group == GroupRules(2, 3, Waiting(5.0), Policy.SIMULATED)
    assert made.play(PieceKind.ASSIGNMENT) is mock_code.relay
    assert made.play_partner() is mock_code.partner
    assert [len(row.unit_data) for row in made.rows()] == [3]
    assert made.first_status(2) is AgentStatus.WAITING


def test_a_mock_onboarding_may_be_live() -> None:
    assert mock(live=True, live_onboarding=True).play(PieceKind.ONBOARDING) is mock_code.onboard


def test_code_of_task_py_goes_before_its_own() -> None:
    async def run_unit(unit: Any, agent: Any) -> None: ...

    assert mock({"run_unit": run_unit}, live=True).play(PieceKind.UNIT) is run_unit


def test_a_group_cannot_begin_with_more_than_it_has() -> None:
    with pytest.raises(ConfigRefused, match=r"group_min: 3 is more than 2 \(group\)"):
        mock(group=2, group_min=3)


class Talk:
    """Agent and group in one: gives some updates, keeps what is sent."""

    index = 1

    def __init__(self, *updates: Any) -> None:
        self._updates = updates
        self.sent: list[Any] = []

    async def updates(self) -> Any:
        for update in self._updates:
            yield update

    async def send(self, data: Any, but: Any = None) -> None:
        self.sent.append((data, but))


async def test_the_echo_sends_back_each_update_until_there_are_no_more() -> None:
    agent = Talk({"text": "a"}, {"text": "b"})
    await mock_code.echo(None, agent)
    assert agent.sent == [({"echo": {"text": "a"}}, None), ({"echo": {"text": "b"}}, None)]


async def test_the_relay_tells_all_but_who_said_it() -> None:
    ann = Talk()
    group = Talk((ann, {"text": "a"}))
    await mock_code.relay(None, group)
    assert group.sent == [({"from": 1, "update": {"text": "a"}}, ann)]


def test_its_functions_may_fail() -> None:
    with pytest.raises(ValueError, match="asked to fail: 5"):
        mock_code.fail(None, 5)


def test_all_four_kinds_of_work_are_installed() -> None:
    names = installed_plug_ins().names(Kind.BLUEPRINT)
    assert names == ["group", "live", "mock", "remote_procedure", "static"]
