"""The blueprint `live`: code of the author's talks with each worker while they work on a unit."""

from typing import Any

import attrs

from ..structuring import Count
from .accompanied import AccompaniedBlueprint, AccompaniedOptions
from .author_code import CodeName, Uses
from .contract import Row
from .live_contract import DropOut, LiveRules
from .rows import UNITS_PER_ROW, row_of

WRITE_GROUP = 'its units are worked on alone; write type = "group" under [blueprint], or delete it'


@attrs.frozen
class LiveOptions(AccompaniedOptions):
    """`[blueprint]` of task.toml. Paths are inside the task's folder."""

    units_per_assignment: Count = attrs.field(default=1, validator=[*UNITS_PER_ROW])
    """How many workers do each row, each alone."""
    drop_out: DropOut = attrs.Factory(DropOut)


class LiveBlueprint(AccompaniedBlueprint):
    """Each worker alone with the author's code: `run_unit(unit, agent)` in task.py."""

    name = "live"
    Options = LiveOptions

    def row_from(self, value: Any) -> Row:
        return row_of(value, self.options.units_per_assignment)

    @property
    def live(self) -> LiveRules:
        said: LiveOptions = self.options
        return LiveRules(said.drop_out.grace_s, said.resume, said.call_limit_s, said.calls_at_once_max)

    def uses(self) -> Uses:
        never = dict.fromkeys((CodeName.RUN_ASSIGNMENT, CodeName.SIMULATED_PARTNER), WRITE_GROUP)
        return Uses(
            {CodeName.RUN_UNIT: "which runs for each worker"},
            {**never, **self.never_onboarding()},
        )
