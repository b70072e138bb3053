"""What a blueprint is: data in, pages, what is done with answers. The contract that task authors extend."""

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ...protocol.names import AgentStatus, PieceKind
from ...storage.records import Assignment, Unit
from .live_contract import LiveRules, Play


@attrs.frozen
class Material:
    """What a blueprint is made from: the task's unpacked folder and its config."""

    folder: Path
    config: Any
    """The RunConfig of `daemon.task_config`."""
    make_rows: Callable[[], Iterable[Any]] | None = None
    """`rows` of the author's task.py, where there is one: the data instead of a file."""
    code: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)
    """Every name that the author's task.py defines or imports, where there is one."""


@attrs.frozen
class Row:
    """One piece of work: what all its units share, and what each has of its own."""

    shared: dict[str, Any]
    unit_data: list[dict[str, Any]]


@attrs.frozen
class ReadData:
    """A small file of data as `Blueprint.check` read it: a launch need not read it again."""

    sha256: str
    """Of what the file held, in hex."""
    rows: Sequence[Row] = attrs.field(repr=False)


class BlueprintFault(Exception):
    """The task's data or pages are not what the blueprint needs; says where and what to do."""


class Blueprint(abc.ABC):
    """Made once per LiveRun. A blueprint without code of its own needs only data and pages."""

    name: ClassVar[str]
    Options: ClassVar[type[Any]]
    """A frozen attrs class with defaults; `[blueprint]` of task.toml is structured into it."""

    def __init__(self, options: Any, material: Material) -> None:
        self.options = options
        self.material = material

    @abc.abstractmethod
    def check(self) -> list[str]:
        """Every fault found in data and pages, before anything is stored: "path: what, and what to do"."""

    @abc.abstractmethod
    def rows(self) -> Iterator[Row]:
        """The data, row by row. Must give the same rows again after a restart; may be endless."""

    @property
    def checked_data(self) -> ReadData | None:
        """The data that `check` has read and found good; None: it is not in a file, or too much to keep."""
        return None

    def rows_of(self, read: ReadData) -> Iterator[Row]:
        """What `rows` gives; without reading it, where the data is still what was read."""
        return self.rows()

    def check_added(self, path: Path) -> list[str]:
        """Every fault of a file with rows that staff want to add, as `check` would find them in the data."""
        return [f"{path.name}: the blueprint {self.name!r} takes no rows while its run goes on"]

    def added_rows(self, path: Path) -> Iterator[Row]:
        """The rows of a file in which `check_added` found nothing; as for `rows`, the same again later."""
        raise BlueprintFault(f"{path.name}: the blueprint {self.name!r} takes no rows while its run goes on")

    @abc.abstractmethod
    def page_files(self) -> Mapping[str, bytes]:
        """What the router serves: path → contents, `index.html` among them."""

    def task_config(self) -> dict[str, Any]:
        """What goes into task_config.json beside the author's `[task_config]`."""
        return {}

    def warnings(self) -> list[str]:
        """What may be meant so, and hardly is: `crowdd check` says it."""
        return []

    def first_status(self, unit_index: int) -> AgentStatus:
        """What a new agent is once it has a unit with this index: at work, or waiting for others."""
        group = self.live is not None and self.live.group is not None
        return AgentStatus.WAITING if group and unit_index >= 0 else AgentStatus.IN_TASK

    def init_data(self, assignment: Assignment, unit: Unit) -> Any:
        """What the page is given for this unit: the shared data, and over it the unit's own."""
        own = assignment.unit_data[unit.unit_index] if unit.unit_index >= 0 else {}
        return {**assignment.shared, **own}

    # --- of tasks whose code runs while workers work

    @property
    def live(self) -> LiveRules | None:
        """The rules of its live work; None: pages and answers are all there is, no code runs."""
        return None

    def play(self, kind: PieceKind) -> Play | None:
        """The coroutine function that accompanies a piece of live work; None: there is none.

        It is called as run_unit(unit, agent) for a unit (of a group task: a screening or gold unit, done
        alone), run_assignment(assignment, group) for a group, run_onboarding(agent) for an onboarding,
        which is a form where there is none.
        """
        return None

    def named_functions(self) -> Mapping[str, Callable[..., Any]]:
        """What pages may call by name: name → f(caller, args), sync or async."""
        return {}

    def play_partner(self) -> Play | None:
        """The coroutine function that plays a missing member of a group; None: there is none.

        It is called as simulated_partner(partner) and returns what the partner submits.
        """
        return None
