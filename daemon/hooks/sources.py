"""What a run's sections need of its task.py or files, said before the launch. Calls no hook."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..admission.orders import Order
from ..blueprints.reading import DataFault, read_rows
from ..task_config import RunConfig
from ..task_folder import TaskRefused, path_inside
from .names import HookName

FAULTS_SHOWN_MAX = 5


def source_faults(
    config: RunConfig,
    functions: Mapping[HookName, Callable[..., Any]],
    folder: Path,
    grouped: bool = False,
) -> Iterator[str]:
    """Everything that a section needs and the task has not: "path: what, and what to do"."""
    if config.choice.order is Order.RANKED and HookName.RANK_UNITS not in functions:
        yield 'choice.order: "ranked" needs rank_units(units, worker) in task.py'
    if config.choice.order is not Order.RANKED and HookName.RANK_UNITS in functions:
        remedy = "in groups, who waits longest comes first; delete it"
        remedy = remedy if grouped else 'write order = "ranked" under [choice]'
        yield f"task.py: rank_units would never be asked; {remedy}"
    screening, gold = config.screening, config.gold
    if screening is not None and not screening.use_real_units:
        yield from _data_faults("screening", screening.data, HookName.SCREENING_UNITS, functions, folder)
    if gold is not None:
        yield from _data_faults("gold", gold.data, HookName.GOLD_FOR_WORKER, functions, folder)
    for section in ("screening", "gold"):
        if getattr(config, section) is not None and HookName.ON_UNIT_SUBMITTED not in functions:
            yield f"{section}: task.py has no on_unit_submitted(agent), which says who was right"


def source_warnings(config: RunConfig, functions: Mapping[HookName, Callable[..., Any]]) -> Iterator[str]:
    """What works, but hardly as it was meant."""
    if config.onboarding is not None and HookName.VALIDATE_ONBOARDING not in functions:
        yield "onboarding: everybody who sends it passes: task.py has no validate_onboarding(worker, data)"


def _data_faults(
    section: str,
    data: Path | None,
    hook: HookName,
    functions: Mapping[HookName, Callable[..., Any]],
    folder: Path,
) -> Iterator[str]:
    if data is None and hook not in functions:
        yield f'{section}.data: is missing; name a file of rows ("{section}.jsonl"), or write {hook.value}()'
    elif data is not None and hook in functions:
        yield f"{section}.data: there is {hook.value}() in task.py, too; keep one"
    elif data is not None:
        yield from _file_faults(section, data, folder)


def _file_faults(section: str, data: Path, folder: Path) -> Iterator[str]:
    try:
        rows = list(read_rows(path_inside(folder, data)))
    except (DataFault, TaskRefused) as exc:
        yield f"{section}.data: {exc}"
        return
    if not rows:
        yield f"{section}.data: {data} holds no row"
    for row in itertools.islice((row for row in rows if isinstance(row, DataFault)), FAULTS_SHOWN_MAX):
        yield f"{section}.data: {row}"
