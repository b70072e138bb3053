"""The endpoint that extends a run: other limits and pay, and more rows, while it goes on."""

import tempfile
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from starlette.requests import Request
from starlette.responses import Response

from ...protocol.limits import BUNDLE_BYTES_MAX
from ...protocol.names import UNFINISHED_RUN, RunState
from ...storage.records import TaskRun
from ..blueprints.reading import DATA_NAMES
from ..terms import Extended, ExtensionRefused, Wish
from .answers import json_answer
from .auditing import changed
from .errors import ControlError, bad_request
from .questions import operator_of, run_asked_for, take_body, who_asks
from .shapes.runs import ExtendedView, ExtensionView
from .task_upload import overrides_asked_for
from .views import run_view

REQUEST_ID_CHARACTERS_MAX = 100
SUFFIXES = tuple(Path(name).suffix for name in DATA_NAMES)


async def extend_run(request: Request) -> Response:
    """Change limits and pay by `set=key=value` parameters, and add the rows in the body, called `rows`.

    All is refused together, with everything that is wrong. The same `request_id` again adds no rows twice.
    With `present=1` those at work get the run's time for a unit, too, where that is more than they have.
    """
    operator, run = operator_of(request), await run_asked_for(request)
    _refuse_if_not_open(run)
    async with _rows_of(request) as rows:
        settings = overrides_asked_for(request)
        wish = Wish(settings, rows, _request_id(request), _present(request))
        try:
            extended = await operator.extend(run.id, wish, who_asks(request))
        except ExtensionRefused as exc:
            raise _refusal(run, exc) from exc
    changed(request, *_words(extended))
    view: ExtendedView = {
        **await run_view(operator, await operator.storage.run(run.id)),
        "extension": _told(extended),
    }
    return json_answer(view)


def _words(extended: Extended) -> tuple[str, str]:
    before = ", ".join(f"{change.key}={change.before}" for change in extended.changes)
    after = ", ".join(f"{change.key}={change.after}" for change in extended.changes)
    return before, f"{after}; {extended.rows} rows added".removeprefix("; ")


def _refuse_if_not_open(run: TaskRun) -> None:
    label = run.label
    if run.state not in UNFINISHED_RUN:
        message = f"Run {label!r} has ended: it is {run.state.value}, and cannot be extended."
        raise ControlError(409, "run_ended", message, "Launch what is to be added as a run of its own.")
    if run.state is RunState.DRAINING:
        message = f"Run {label!r} is being stopped, and cannot be extended."
        raise ControlError(409, "run_stopping", message, "Launch what is to be added as a run of its own.")


@asynccontextmanager
async def _rows_of(request: Request) -> AsyncGenerator[Path | None]:
    """The file of the body, under its own name, so that its faults are told by it; gone when left."""
    name = request.query_params.get("rows")
    with tempfile.TemporaryDirectory(prefix="crowdd-extend-") as scratch:
        path = Path(scratch, "body" if name is None else _file_name(name))
        async with await trio.open_file(path, "wb") as file:
            await take_body(request, BUNDLE_BYTES_MAX, file.write)
            size = await file.tell()
        if size and name is None:
            raise bad_request("The body holds rows, but `rows` does not name their file.")
        yield None if name is None else path


def _file_name(name: str) -> str:
    if Path(name).name != name or not name.isprintable() or len(name.encode()) > 200:
        raise bad_request("`rows` must be the name of a file, without folders.")
    if not name.endswith(SUFFIXES):
        raise bad_request(f"{name!r}: rows come as {', '.join(SUFFIXES)}.")
    return name


def _present(request: Request) -> bool:
    said = request.query_params.get("present", "0")
    if said not in ("0", "1"):
        raise bad_request(f"present={said}: must be 0 or 1.")
    return said == "1"


def _request_id(request: Request) -> str:
    request_id = request.query_params.get("request_id") or uuid.uuid4().hex
    if len(request_id) > REQUEST_ID_CHARACTERS_MAX or not request_id.isprintable() or not request_id.strip():
        raise bad_request(f"A request id is at most {REQUEST_ID_CHARACTERS_MAX} printable characters.")
    return request_id


def _refusal(run: TaskRun, refused: ExtensionRefused) -> ControlError:
    problems = refused.problems
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return ControlError(
        422,
        "extension_refused",
        f"Run {run.label!r} was not extended, nothing was changed: {count}.",
        "Correct them and extend again.",
        problems,
    )


def _told(extended: Extended) -> ExtensionView:
    return {
        "changes": [
            {"key": change.key, "before": change.before, "after": change.after} for change in extended.changes
        ],
        "rows": extended.rows,
        "already": extended.already,
        "present": extended.present,
        "rows_after_code": extended.rows_after_code,
    }
