"""The blueprint `static`: a page with form fields, filled from rows of data. No code runs per unit."""

from typing import Any

import attrs

from ..structuring import Count
from .contract import Row
from .paged import PagedBlueprint, PagedOptions
from .rows import UNITS_PER_ROW, row_of

_LIVE_TYPES = {
    "run_unit": "live",
    "run_onboarding": "live",
    "run_assignment": "group",
    "simulated_partner": "group",
}


@attrs.frozen
class StaticOptions(PagedOptions):
    """`[blueprint]` of task.toml. Paths are inside the task's folder."""

    units_per_assignment: Count = attrs.field(default=1, validator=[*UNITS_PER_ROW])
    """How many workers answer each row."""


class StaticBlueprint(PagedBlueprint):
    """A page with form fields, filled from rows of data: a file, or what `rows()` of task.py gives."""

    name = "static"
    Options = StaticOptions

    def row_from(self, value: Any) -> Row:
        return row_of(value, self.options.units_per_assignment)

    def code_faults(self) -> list[str]:
        """Code for live work: its author forgot to say that the task is one."""
        return [
            f"task.py: {name} would never be called: a static task runs no code while workers work; "
            f'write type = "{kind}" under [blueprint], or delete it'
            for name, kind in _LIVE_TYPES.items()
            if callable(self.material.code.get(name))
        ]
