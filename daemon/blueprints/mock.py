"""The blueprint `mock`: everything scriptable, for tests and rehearsals. Needs no folder."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from ...protocol.names import AgentStatus
from ..structuring import Count
from .contract import Blueprint, BlueprintFault, Row
from .pages import SCRIPT, page_script
from .reading import DataFault, read_rows
from .rows import RowFault, row_of

FIRST_STATUSES = (AgentStatus.IN_TASK, AgentStatus.WAITING)
_PAGE = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Mock task</title><script src="crowdd.js"></script>
<form data-crowdd="task"><label>Answer <input name="answer" required></label><button>Save</button></form>
</html>
"""


@attrs.frozen
class MockOptions:
    """`[blueprint]` of task.toml."""

    num_assignments: Count = 2
    """How many rows {"row": n} there are, where `rows` gives none."""
    units_per_assignment: Count = attrs.field(default=1, validator=attrs.validators.ge(1))
    """How many workers answer each row."""
    rows: list[dict[str, Any]] = attrs.Factory(list[dict[str, Any]])
    """The data itself, as rows of a static task."""
    first_status: AgentStatus = attrs.field(
        default=AgentStatus.IN_TASK, validator=attrs.validators.in_(FIRST_STATUSES)
    )
    """"waiting" keeps every new agent waiting, as a group task does."""
    faults: list[str] = attrs.Factory(list[str])
    """What `check` finds."""


class MockBlueprint(Blueprint):
    """Gives what its options say; for tests, simulation and first tries."""

    name = "mock"
    Options = MockOptions

    def check(self) -> list[str]:
        return [*self.options.faults, *self._row_faults()]

    def rows(self) -> Iterator[Row]:
        given = self.options.rows or [{"row": number} for number in range(self.options.num_assignments)]
        return (row_of(value, self.options.units_per_assignment) for value in given)

    def check_added(self, path: Path) -> list[str]:
        try:
            return [] if list(self.added_rows(path)) else [f"{path.name}: holds no row"]
        except (BlueprintFault, RowFault) as exc:
            return [str(exc)]

    def added_rows(self, path: Path) -> Iterator[Row]:
        for found in read_rows(path):
            if isinstance(found, DataFault):
                raise found
            yield row_of(found.value, self.options.units_per_assignment)

    def page_files(self) -> Mapping[str, bytes]:
        return {"index.html": _PAGE, SCRIPT: page_script()}

    def first_status(self, unit_index: int) -> AgentStatus:
        status: AgentStatus = self.options.first_status
        return status

    def _row_faults(self) -> Iterator[str]:
        for number, value in enumerate(self.options.rows):
            try:
                row_of(value, self.options.units_per_assignment)
            except RowFault as exc:
                yield f"blueprint.rows[{number}]: {exc}"
