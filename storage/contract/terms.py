"""The contract of storage about pausing, changing and deleting a run that is there."""

import abc
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from ...protocol.names import RunId
from ..records import AddedRows, TaskRun


@attrs.frozen
class NewRows:
    """A file of rows to be added to a run; see `AddedRows`."""

    request_id: str
    name: str
    rows: int


@attrs.frozen
class ChangeRun:
    """What staff change about a run that goes on.

    `changes` are what history keeps, one (before, after) in words for each. `pay_cents`, if given, is what
    units that are not released yet are worth from now on; those that are out keep what they are worth.
    `rows` come after all others, and the run's `rows_done` is taken back.
    """

    run_id: RunId
    before: dict[str, Any]
    """The config that was changed (guard)."""
    config: dict[str, Any]
    changes: Sequence[tuple[str | None, str]] = ()
    pay_cents: int | None = None
    rows: NewRows | None = None


class TermsContract(abc.ABC):
    """What `Storage` promises about pausing, changing and deleting a run that is there."""

    @abc.abstractmethod
    async def set_paused(self, run_id: RunId, paused: bool, now: datetime, who: str, why: str) -> TaskRun:
        """Pause a run, or let it go on; as it is already: nothing changes. StaleWrite when it has ended."""

    @abc.abstractmethod
    async def change_run(self, change: ChangeRun, now: datetime, who: str, why: str) -> TaskRun:
        """Replace a run's config as a whole, and add rows; returns the run after it.

        StaleWrite: its config is not `before` any more, or it is neither launching nor running.
        `rows.request_id` is known: nothing is changed.
        """

    @abc.abstractmethod
    async def added_rows(self, run_id: RunId) -> list[AddedRows]:
        """In the order in which they were added."""

    @abc.abstractmethod
    async def begin_deletion(self, run_id: RunId, now: datetime, who: str) -> TaskRun:
        """Mark an ended run as going; again: nothing changes. StaleWrite when it has not ended.

        From here on `delete_assignments` until it says False, then `finish_deletion`: each step is a small
        transaction, so that other runs never wait long, and after each of them the store is whole.
        """

    @abc.abstractmethod
    async def delete_assignments(self, run_id: RunId, units_max: int) -> bool:
        """Remove assignments with everything that hangs on them, about `units_max` units, at least one.

        Units, agents, submissions, metadata, errors, live updates, journals, reviews and their history go;
        what counted against `maximum_units_per_worker` counts no more. Workers and grants stay.
        True while there are more. StaleWrite when the run is not marked.
        """

    @abc.abstractmethod
    async def finish_deletion(self, run_id: RunId, now: datetime, who: str) -> None:
        """Remove a marked run that has no assignments any more, and all that is left of it; NotFound.

        Stays: who deleted it, in history. No later run gets its number; those of units and agents may come
        again. StaleWrite when the run is not marked, or has assignments.
        """
