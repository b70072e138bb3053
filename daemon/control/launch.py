"""The endpoints that launch a run from an uploaded task folder, or say what would be launched."""

import uuid

import attrs
from starlette.requests import Request
from starlette.responses import Response

from .answers import json_answer
from .auditing import about, changed
from .errors import bad_request
from .questions import operator_of, who_asks
from .shapes.runs import LaunchedView
from .task_upload import overrides_asked_for, unpacked_task
from .views import run_view

LAUNCH_ID_CHARACTERS_MAX = 100


async def launch_run(request: Request) -> Response:
    """Launch the tar.gz of the body, with overrides from `set=key=value` parameters.

    The same `launch_id` again answers with the run it made. `warnings`: what may be meant so, and hardly is.
    """
    operator = operator_of(request)
    overrides, launch_id = overrides_asked_for(request), _launch_id(request)
    warnings = list[str]()
    async with unpacked_task(request) as folder:
        run = await operator.launch(folder, overrides, launch_id, who_asks(request), warnings.extend)
    about(request, run.label)
    settings = ", ".join(f"{key}={value}" for key, value in overrides.items())
    changed(request, None, f"run {run.id} {settings}".rstrip())
    launched: LaunchedView = {**await run_view(operator, run), "warnings": warnings}
    return json_answer(launched, 201)


async def plan_run(request: Request) -> Response:
    """What would be launched from the same body and parameters; nothing is."""
    operator, overrides = operator_of(request), overrides_asked_for(request)
    async with unpacked_task(request) as folder:
        plan = await operator.plan(folder, overrides)
    return json_answer(attrs.asdict(plan))


def _launch_id(request: Request) -> str:
    launch_id = request.query_params.get("launch_id") or uuid.uuid4().hex
    if len(launch_id) > LAUNCH_ID_CHARACTERS_MAX or not launch_id.isprintable():
        raise bad_request(f"A launch id is at most {LAUNCH_ID_CHARACTERS_MAX} printable characters.")
    return launch_id
