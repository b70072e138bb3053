"""What became of a run that was launched, paused, extended or deleted."""

from dataclasses import dataclass

from .runs import RunInfo


@dataclass(frozen=True, kw_only=True)
class LaunchedRun(RunInfo):
    """A run that was launched, with what in its task may be meant so, and hardly is."""

    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PausedRun(RunInfo):
    """A run after it was paused or resumed; `changed` is False when it was so already."""

    changed: bool


@dataclass(frozen=True, kw_only=True)
class SettingInfo:
    """A setting that is another now, in words."""

    key: str
    before: str | None
    after: str


@dataclass(frozen=True, kw_only=True)
class ExtensionInfo:
    """What was changed now.

    `already`: this request had added its rows before, and nothing was changed. `present`: so many who are at
    work have more time. `rows_after_code`: the rows come after those of rows() in task.py, if that ever ends.
    """

    changes: tuple[SettingInfo, ...]
    rows: int
    already: bool
    present: int
    rows_after_code: bool


@dataclass(frozen=True, kw_only=True)
class ExtendedRun(RunInfo):
    """A run after it was extended."""

    extension: ExtensionInfo


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What goes with a run when it is deleted; `bytes` of its files, uploads among them."""

    id: int
    label: str
    state: str
    units: int
    submissions: int
    files: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class DeletedRun(Stock):
    """What went with a run; `left` says in words what of it the daemon could not remove elsewhere."""

    left: tuple[str, ...]
