"""The endpoint that launches a run from an uploaded task folder."""

import tempfile
import uuid
from pathlib import Path

import trio
from starlette.requests import Request
from starlette.responses import Response

from ...protocol.limits import BUNDLE_BYTES_MAX
from ..launching import LaunchRefused
from ..task_folder import TaskRefused, unpack_task
from .answers import json_answer
from .errors import ControlError, bad_request
from .questions import operator_of, take_body, who_asks
from .views import run_view

OVERRIDES_MAX = 200
LAUNCH_ID_CHARACTERS_MAX = 100


async def launch_run(request: Request) -> Response:
    """Launch the tar.gz of the body, with overrides from `set=key=value` parameters.

    The same `launch_id` again answers with the run it made.
    """
    operator = operator_of(request)
    overrides, launch_id = _overrides(request), _launch_id(request)
    with tempfile.TemporaryDirectory(prefix="crowdd-launch-") as scratch:
        archive, folder = Path(scratch, "task.tar.gz"), Path(scratch, "task")
        await _store_body(request, archive)
        try:
            await trio.to_thread.run_sync(unpack_task, archive, folder)
            run = await operator.launch(folder, overrides, launch_id, who_asks(request))
        except TaskRefused as exc:
            raise _refusal([str(exc)]) from exc
        except LaunchRefused as exc:
            raise _refusal(exc.problems) from exc
    return json_answer(await run_view(operator, run), 201)


async def _store_body(request: Request, path: Path) -> None:
    async with await trio.open_file(path, "wb") as file:
        await take_body(request, BUNDLE_BYTES_MAX, file.write)
        size = await file.tell()
    if size == 0:
        raise bad_request("The body must be a task folder as tar.gz.", "`crowdctl launch DIR` sends it.")


def _refusal(problems: list[str]) -> ControlError:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return ControlError(
        422,
        "launch_refused",
        f"The task was not launched: {count}.",
        "Correct them and launch again.",
        problems,
    )


def _overrides(request: Request) -> dict[str, str]:
    pairs = [text.partition("=") for text in request.query_params.getlist("set")]
    if len(pairs) > OVERRIDES_MAX:
        raise bad_request(f"At most {OVERRIDES_MAX} overrides.", "Put them into task.toml.")
    for key, equals, _ in pairs:
        if not key or not equals:
            raise bad_request(f"{key!r} is no override.", "Write key=value.")
    return {key: value for key, _, value in pairs}


def _launch_id(request: Request) -> str:
    launch_id = request.query_params.get("launch_id") or uuid.uuid4().hex
    if len(launch_id) > LAUNCH_ID_CHARACTERS_MAX or not launch_id.isprintable():
        raise bad_request(f"A launch id is at most {LAUNCH_ID_CHARACTERS_MAX} printable characters.")
    return launch_id
