"""Runs, how they stand, and what becomes of them."""

from datetime import datetime
from typing import Annotated, Any, NotRequired, TypedDict

from ..limits import LINE_CHARACTERS_MAX


class RouterView(TypedDict):
    """How the link to one router stands.

    `outbox`: what it told pages is submitted, and keeps for the daemon: `answers`, `metadata`, `bytes`.
    """

    name: str
    url: str
    up: bool
    since: datetime
    addition: str
    outbox: dict[str, int]


class CountsView(TypedDict):
    """How many units and agents are in each status."""

    units: dict[str, int]
    agents: dict[str, int]
    units_total: int
    units_done: int
    agents_live: int


class LiveView(TypedDict):
    """What only a run that is being carried out has."""

    live: bool
    address: str | None
    routers: list[RouterView]


class StandView(CountsView, LiveView):
    """How a run stands."""

    id: int
    state: str
    trouble: str | None
    paused: bool
    deleting: bool
    rows_made: int
    rows_done: bool


class RunView(StandView):
    """A run with its progress."""

    label: str
    task: str
    blueprint: str
    provider: str
    architect: str
    sandbox: bool
    created_at: datetime
    ended_at: datetime | None


class LaunchedView(RunView):
    """A run that was launched, with what in its task may be meant so, and hardly is."""

    warnings: list[str]


class RunsView(TypedDict):
    """Runs, oldest first."""

    runs: list[RunView]


class PauseView(TypedDict):
    """Since when a run is paused, by whom, and why."""

    at: datetime
    who: str
    why: str


class OwedView(TypedDict):
    """What the crowd provider is still to be told, with what it said at the last of so many tries."""

    call: str
    agent_id: int | None
    worker_id: int | None
    since: datetime
    tries: int
    error: str | None


class RoomView(TypedDict):
    """A group in which workers wait for others: so many are here, away or simulated, of `size` seats.

    The first has waited for `waited_s`; something becomes of it in `left_s` at the latest.
    """

    assignment_id: int
    here: int
    away: int
    simulated: int
    size: int
    waited_s: float
    left_s: float | None


class RunDetailsView(RunView):
    """A run with its resolved config. `counters`: what was handled and refused since it was taken up.

    `late`: how many answers came too late to count.
    """

    owed: list[OwedView]
    rooms: list[RoomView]
    last_submission_at: datetime | None
    pause: PauseView | None
    late: int
    counters: dict[str, int]
    config: dict[str, Any]


class WatchedView(StandView):
    """How a run of this label stands."""

    run: str


class SnapshotView(WatchedView):
    """One line of a watched run; `per_minute` is null until it has been watched for a moment."""

    per_minute: float | None


class PausedRunView(RunView):
    """A run after it was paused or resumed; `changed` is false when it was so already."""

    changed: bool


class SettingView(TypedDict):
    """A setting that is another now, in words."""

    key: str
    before: str | None
    after: str


class ExtensionView(TypedDict):
    """What was changed now.

    `already`: this request had added its rows before, and nothing was changed. `present`: so many who are at
    work have more time. `rows_after_code`: the rows come after those of rows() in task.py, if that ever ends.
    """

    changes: list[SettingView]
    rows: int
    already: bool
    present: int
    rows_after_code: bool


class ExtendedView(RunView):
    """A run after it was extended."""

    extension: ExtensionView


class StockView(TypedDict):
    """What goes with a run when it is deleted; `bytes` of its files, uploads among them."""

    id: int
    label: str
    state: str
    units: int
    submissions: int
    files: int
    bytes: int


class DeletedView(StockView):
    """What went with a run; `left` says in words what of it the daemon could not remove elsewhere."""

    left: list[str]


class ExpiredView(TypedDict):
    """How many units were taken off the queue."""

    expired: int


class NothingBody(TypedDict):
    """Nothing needs to be said."""


class WhyBody(TypedDict):
    """`why` is one line for history."""

    why: NotRequired[Annotated[str, {"maxLength": LINE_CHARACTERS_MAX}]]


class StopBody(TypedDict):
    """`now`: those at work do not finish."""

    now: NotRequired[bool]
