"""The blueprint `mock`: everything scriptable, for tests and rehearsals. Needs no folder."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from ...protocol.names import AgentStatus, PieceKind
from ..structuring import Count, Faults, Seconds
from . import mock_code
from .accompanied import CALL_LIMIT, CALLS_AT_ONCE
from .author_code import PIECES, CodeName, code_of
from .contract import Blueprint, BlueprintFault, Row
from .live_contract import GROUP_SIZE_MAX, GroupDropOut, GroupRules, LiveRules, Play, Resume, Waiting
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
    live: bool = False
    """True: what a worker sends comes back as {"echo": ...}, and pages may call `echo`."""
    group: Count = attrs.field(default=0, validator=attrs.validators.le(GROUP_SIZE_MAX))
    """So many workers work together, each told what the others send; 0: each works alone."""
    group_min: Count = 0
    """With how many workers a group may begin when its time to wait is over; 0: with all."""
    live_onboarding: bool = False
    """True: an onboarding echoes as a unit does."""
    resume: Resume = Resume.REPLAY
    """What becomes of work in progress when the daemon was restarted."""
    call_limit_s: Seconds = attrs.field(default=30.0, validator=CALL_LIMIT)
    """How long a function that a page calls may take."""
    calls_at_once_max: Count = attrs.field(default=8, validator=[*CALLS_AT_ONCE])
    """How many calls of one worker run at once."""
    waiting: Waiting = attrs.Factory(Waiting)
    drop_out: GroupDropOut = attrs.Factory(GroupDropOut)

    def __attrs_post_init__(self) -> None:
        if self.group_min > self.group:
            raise Faults([f"group_min: {self.group_min} is more than {self.group} (group)"])


class MockBlueprint(Blueprint):
    """Gives what its options say; for tests, simulation and first tries. Code in task.py goes first."""

    name = "mock"
    Options = MockOptions

    def check(self) -> list[str]:
        return [*self.options.faults, *self._row_faults()]

    def rows(self) -> Iterator[Row]:
        given = self.options.rows or [{"row": number} for number in range(self.options.num_assignments)]
        return (row_of(value, self._units) for value in given)

    def check_added(self, path: Path) -> list[str]:
        try:
            return [] if list(self.added_rows(path)) else [f"{path.name}: holds no row"]
        except (BlueprintFault, RowFault) as exc:
            return [str(exc)]

    def added_rows(self, path: Path) -> Iterator[Row]:
        for found in read_rows(path):
            if isinstance(found, DataFault):
                raise found
            yield row_of(found.value, self._units)

    def page_files(self) -> Mapping[str, bytes]:
        return {"index.html": _PAGE, SCRIPT: page_script()}

    def first_status(self, unit_index: int) -> AgentStatus:
        usual = super().first_status(unit_index)
        return AgentStatus.WAITING if self.options.first_status is AgentStatus.WAITING else usual

    @property
    def live(self) -> LiveRules | None:
        said: MockOptions = self.options
        if not (said.live or said.group):
            return None
        return LiveRules(
            said.drop_out.grace_s, said.resume, said.call_limit_s, said.calls_at_once_max, self._group()
        )

    def play(self, kind: PieceKind) -> Play | None:
        if self.live is None:
            return None
        own: Play | None = code_of(self).play(PIECES[kind])
        return own or self._plays().get(kind)

    def named_functions(self) -> Mapping[str, Callable[..., Any]]:
        return {} if self.live is None else {**mock_code.FUNCTIONS, **code_of(self).functions()}

    def play_partner(self) -> Play | None:
        own: Play | None = code_of(self).play(CodeName.SIMULATED_PARTNER)
        return own or (mock_code.partner if self.options.group else None)

    def _plays(self) -> Mapping[PieceKind, Play]:
        plays: dict[PieceKind, Play] = {PieceKind.UNIT: mock_code.echo, PieceKind.ASSIGNMENT: mock_code.relay}
        return plays | ({PieceKind.ONBOARDING: mock_code.onboard} if self.options.live_onboarding else {})

    def _group(self) -> GroupRules | None:
        said: MockOptions = self.options
        if not said.group:
            return None
        out = said.drop_out
        least = said.group_min or said.group
        return GroupRules(least, said.group, said.waiting, out.policy, out.replace_s, out.otherwise)

    @property
    def _units(self) -> int:
        """How many units a row has that does not say it."""
        units: int = self.options.group or self.options.units_per_assignment
        return units

    def _row_faults(self) -> Iterator[str]:
        for number, value in enumerate(self.options.rows):
            try:
                row_of(value, self._units)
            except RowFault as exc:
                yield f"blueprint.rows[{number}]: {exc}"
