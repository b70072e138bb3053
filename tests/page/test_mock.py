"""The blueprint `mock` gives what its options say."""

from pathlib import Path

import pytest

from crowdd.daemon.blueprints.contract import Material, Row
from crowdd.daemon.blueprints.mock import MockBlueprint, MockOptions
from crowdd.protocol.names import AgentStatus


def mock(options: MockOptions) -> MockBlueprint:
    return MockBlueprint(options, Material(Path("none"), None))


def test_it_has_as_many_rows_as_asked_and_a_page() -> None:
    blueprint = mock(MockOptions(num_assignments=3, units_per_assignment=2))
    assert list(blueprint.rows()) == [Row({"row": number}, [{}, {}]) for number in range(3)]
    assert set(blueprint.page_files()) == {"index.html", "crowdd.js"}


def test_its_rows_may_be_given() -> None:
    assert list(mock(MockOptions(rows=[{"unit_data": [{"a": 1}]}])).rows()) == [Row({}, [{"a": 1}])]


def test_its_agents_may_have_to_wait() -> None:
    assert mock(MockOptions()).first_status(0) is AgentStatus.IN_TASK
    assert mock(MockOptions(first_status=AgentStatus.WAITING)).first_status(0) is AgentStatus.WAITING


def test_its_faults_are_those_asked_for_and_those_it_has() -> None:
    faults = mock(MockOptions(faults=["page: too ugly"], rows=[{"unit_data": []}])).check()
    assert faults[0] == "page: too ugly"
    assert faults[1].startswith("blueprint.rows[0]: 'unit_data' must be a list")


def test_an_agent_cannot_begin_completed() -> None:
    with pytest.raises(ValueError, match="first_status"):
        MockOptions(first_status=AgentStatus.COMPLETED)
