"""The endpoint about the data folder: what takes how much, by run."""

from starlette.requests import Request
from starlette.responses import Response

from .answers import json_answer
from .questions import operator_of
from .shapes.service import DiskView, RunDiskView


async def get_disk(request: Request) -> Response:
    """Sizes in bytes; runs in the order in which they were launched."""
    operator = operator_of(request)
    use = await operator.disk_use()
    runs: list[RunDiskView] = [
        {
            "id": run.id,
            "label": run.label,
            "state": run.state.value,
            "task": disk.task,
            "files": disk.files,
            "router": disk.router,
        }
        for run in await operator.storage.runs()
        if (disk := use.runs.get(run.id)) is not None
    ]
    about: DiskView = {
        "data": use.data,
        "database": use.database,
        "other": use.other,
        "free": use.free,
        "runs": runs,
    }
    return json_answer(about)
