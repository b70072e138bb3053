"""A task folder that comes as a request's body: unpacked for the time of the request, its faults answered."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from starlette.requests import Request

from ...protocol.limits import BUNDLE_BYTES_MAX
from ..checking import LaunchRefused
from ..task_config import ConfigRefused
from ..task_folder import TaskRefused, unpack_task
from ..threads import in_thread
from .errors import ControlError, bad_request
from .questions import operator_of, take_body

OVERRIDES_MAX = 200


@asynccontextmanager
async def unpacked_task(request: Request) -> AsyncGenerator[Path]:
    """The folder of the tar.gz in the body; gone when left. What is wrong with it becomes the answer."""
    where = operator_of(request).scratch
    where.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="task-", dir=where) as scratch:
        archive, folder = Path(scratch, "task.tar.gz"), Path(scratch, "task")
        await _store_body(request, archive)
        try:
            await in_thread(unpack_task, archive, folder)
            yield folder
        except TaskRefused as exc:
            raise _refusal([str(exc)]) from exc
        except (LaunchRefused, ConfigRefused) as exc:
            raise _refusal(exc.problems) from exc


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


def overrides_asked_for(request: Request) -> dict[str, str]:
    """The `set=key=value` parameters."""
    pairs = [text.partition("=") for text in request.query_params.getlist("set")]
    if len(pairs) > OVERRIDES_MAX:
        raise bad_request(f"At most {OVERRIDES_MAX} overrides.", "Put them into task.toml.")
    for key, equals, _ in pairs:
        if not key or not equals:
            raise bad_request(f"{key!r} is no override.", "Write key=value.")
    return {key: value for key, _, value in pairs}
