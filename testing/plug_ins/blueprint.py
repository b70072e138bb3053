"""What every blueprint promises, as functions that take a way to make it (each time as after a restart)."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice, zip_longest
from typing import Any

from ...daemon.blueprints import Blueprint, Material, Row
from ...daemon.bundle import PROVIDER_SCRIPT, TASK_CONFIG, make_bundle
from ...protocol.documents import check_document
from ...protocol.errors import RemoteProtocolError
from ...protocol.names import AgentStatus, AssignmentId, RunId, UnitId, UnitStatus
from ...storage.records import GOLD_UNIT_INDEX, SCREENING_UNIT_INDEX, Assignment, Unit
from ..players import Player
from .live import hold_to, promises_of
from .promise import PromiseBroken, must, told

ROWS_LOOKED_AT = 500  # data may be endless
FIRST_STATUSES = (AgentStatus.IN_TASK, AgentStatus.WAITING)
Make = Callable[[], Blueprint]


def certify_blueprint(
    blueprint: type[Blueprint], material: Material, player: Player | None = None, **options: Any
) -> None:
    """Hold a blueprint with a good task to every promise. PromiseBroken tells all that are not kept.

    One whose code runs while workers work is tried in a simulated world, too, on a virtual clock: it must not
    use threads or a network. Its workers do what `player` does (`load_player`), else they fill in its form.
    """
    broken: list[tuple[Callable[..., object], BaseException]] = []

    def made() -> Blueprint:
        return blueprint(blueprint.Options(**options), material)

    def hold(promise: Callable[..., object], ask: Callable[[], object]) -> None:
        try:
            ask()
        except Exception as exc:
            # The boundary to the author's code: whatever it raises is a promise that was not kept.
            broken.append((promise, exc))

    for promise in BLUEPRINT_PROMISES:
        hold(promise, partial(promise, made))
    for live_promise in () if broken else promises_of(made()):
        hold(live_promise, partial(hold_to, live_promise, made(), player))
    if broken:
        raise PromiseBroken("\n".join([f"{blueprint.__name__}:", *told(broken)]))


def a_good_task_has_no_faults(make: Make) -> None:
    faults = make().check()
    must(not faults, f"check() found {faults}")


def there_is_work(make: Make) -> None:
    must(_rows(make()), "rows() gave nothing")


def rows_are_the_same_after_a_restart(make: Make) -> None:
    blueprint = make()
    first = _rows(blueprint)
    for when, again in (("asked again", _rows(blueprint)), ("after a restart", _rows(make()))):
        for number, (one, other) in enumerate(zip_longest(first, again), 1):
            must(one == other, f"row {number} is another one {when}: {one} became {other}")


def every_row_has_units(make: Make) -> None:
    for number, row in enumerate(_rows(make()), 1):
        must(row.unit_data, f"row {number} has no unit")


def rows_are_json(make: Make) -> None:
    for number, row in enumerate(_rows(make()), 1):
        _must_be_json(row.shared, f"row {number}, shared")
        _must_be_json(row.unit_data, f"row {number}, unit_data")


def the_page_is_given_json(make: Make) -> None:
    blueprint = make()
    for number, row in enumerate(_rows(blueprint), 1):
        assignment = Assignment(AssignmentId(number), RunId(1), number, "", row.shared, row.unit_data)
        for index in range(len(row.unit_data)):
            given = blueprint.init_data(assignment, _unit(number, index))
            _must_be_json(given, f"init_data of row {number}, unit {index}")


def there_is_a_page_that_registers_workers(make: Make) -> None:
    index = make().page_files().get("index.html")
    must(index is not None, "page_files() has no index.html")
    page = (index or b"").decode()
    must(
        "crowdd.js" in page or PROVIDER_SCRIPT in page,
        f"index.html loads neither crowdd.js nor {PROVIDER_SCRIPT}",
    )


def a_page_that_loads_crowdd_js_has_it(make: Make) -> None:
    files = make().page_files()
    wants = b'"crowdd.js"' in files.get("index.html", b"")
    must(not wants or files.get("crowdd.js"), "index.html loads crowdd.js, which page_files() does not give")


def pages_can_be_served(make: Make) -> None:
    files = make().page_files()
    for reserved in (PROVIDER_SCRIPT, TASK_CONFIG):
        must(reserved not in files, f"{reserved} is crowdd's own; page_files() must not give it")
    make_bundle(files)


def pages_are_the_same_after_a_restart(make: Make) -> None:
    must(make_bundle(make().page_files()) == make_bundle(make().page_files()), "page_files() changed")


def the_task_config_is_json(make: Make) -> None:
    _must_be_json(make().task_config(), "task_config()")


def an_agent_begins_at_work_or_waiting(make: Make) -> None:
    for index in (0, SCREENING_UNIT_INDEX, GOLD_UNIT_INDEX):
        status = make().first_status(index)
        must(status in FIRST_STATUSES, f"first_status({index}) is {status.value!r}")


BLUEPRINT_PROMISES: Sequence[Callable[[Make], None]] = (
    a_good_task_has_no_faults,
    there_is_work,
    rows_are_the_same_after_a_restart,
    every_row_has_units,
    rows_are_json,
    the_page_is_given_json,
    there_is_a_page_that_registers_workers,
    a_page_that_loads_crowdd_js_has_it,
    pages_can_be_served,
    pages_are_the_same_after_a_restart,
    the_task_config_is_json,
    an_agent_begins_at_work_or_waiting,
)


def _rows(blueprint: Blueprint) -> list[Row]:
    return list(islice(blueprint.rows(), ROWS_LOOKED_AT))


def _unit(number: int, index: int) -> Unit:
    return Unit(UnitId(number), RunId(1), AssignmentId(number), index, UnitStatus.ASSIGNED, 1, None, None, 5)


def _must_be_json(value: Any, what: str) -> None:
    try:
        check_document(value)
    except RemoteProtocolError as exc:
        raise PromiseBroken(f"{what} is not JSON: {exc}") from exc
