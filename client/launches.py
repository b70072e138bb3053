"""Launching tasks, changing what was launched, and what can be set."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from . import shapes
from .asking import Asking, RunName, path_of
from .errors import ConnectionCut, LaunchUnknown
from .reading import read

if TYPE_CHECKING:
    from .task import Task

LAUNCH_S = 600.0  # deploying to far routers takes minutes


class Launches(Asking):
    """What `Client` asks about tasks that become runs."""

    def launch(
        self,
        task: "str | os.PathLike[str] | Task",
        overrides: Mapping[str, str] | None = None,
        launch_id: str | None = None,
    ) -> "shapes.LaunchedRun":
        """Launch a task: its folder, or one made in Python. The same `launch_id` again gives the run it made.

        TaskFolderRefused; LaunchRefused, with all problems; LaunchUnknown: the daemon went away meanwhile.
        """
        from .packing import packed_task  # takes a fifth of the time that crowdctl needs to start

        launch_id = launch_id or os.urandom(16).hex()
        parameters = [("launch_id", launch_id)]
        parameters += [("set", f"{key}={value}") for key, value in (overrides or {}).items()]
        try:
            with _folder_of(task) as folder, packed_task(folder) as archive:
                return read(
                    shapes.LaunchedRun, self._connection.upload("/runs", parameters, archive, LAUNCH_S)
                )
        except ConnectionCut as exc:
            raise LaunchUnknown(
                f"{exc.message} Whether the run was launched is not known.",
                f"Launch again with the launch id {launch_id}: that never launches twice.",
                launch_id,
            ) from exc

    def plan(
        self, task: "str | os.PathLike[str] | Task", overrides: Mapping[str, str] | None = None
    ) -> "shapes.PlanInfo":
        """What `launch` would launch; nothing is. TaskFolderRefused, LaunchRefused (with all problems)."""
        from .packing import packed_task

        parameters = [("set", f"{key}={value}") for key, value in (overrides or {}).items()]
        with _folder_of(task) as folder, packed_task(folder) as archive:
            return read(shapes.PlanInfo, self._connection.upload("/plan", parameters, archive, LAUNCH_S))

    def options(self, kind: str | None = None, name: str | None = None) -> "shapes.OptionsInfo":
        """All plug-ins, of a kind, or one by its name; of the kind `task`: what task.toml takes. Refused."""
        asked = [("kind", kind), ("name", name)]
        return read(
            shapes.OptionsInfo,
            self._connection.get("/options", [(key, word) for key, word in asked if word is not None]),
        )

    def folder_options(self, folder: str | os.PathLike[str]) -> "shapes.OptionsInfo":
        """What can be set for the task in `folder`, whose task.py the daemon runs. LaunchRefused."""
        from .packing import packed_task

        with packed_task(Path(folder)) as archive:
            return read(shapes.OptionsInfo, self._connection.upload("/options", [], archive, LAUNCH_S))

    def extend(
        self,
        run: RunName,
        settings: Mapping[str, str] | None = None,
        rows: str | os.PathLike[str] | None = None,
        present: bool = False,
        request_id: str | None = None,
    ) -> "shapes.ExtendedRun":
        """Change `limits.NAME` and `pay.reward`, and add the rows of a file; all of it or nothing.

        `present`: those at work get the time for a unit, too, where it is more than they have. The same
        `request_id` again adds no rows twice. ExtensionRefused (with all problems), OSError (the file).
        """
        parameters = [
            ("request_id", request_id or os.urandom(16).hex()),
            ("present", "1" if present else "0"),
        ]
        parameters += [("set", f"{key}={value}") for key, value in (settings or {}).items()]
        path = path_of(run, "extend")
        with open(os.devnull if rows is None else rows, "rb") as file:
            parameters += [] if rows is None else [("rows", Path(rows).name)]
            return read(shapes.ExtendedRun, self._connection.upload(path, parameters, file, LAUNCH_S))


@contextmanager
def _folder_of(task: "str | os.PathLike[str] | Task") -> Generator[Path]:
    if isinstance(task, str | os.PathLike):
        yield Path(task)
        return
    from .task import written_task  # as packing: not every command needs it

    with written_task(task) as folder:
        yield folder
