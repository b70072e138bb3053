"""What can go wrong between a program and the daemon, in the program's terms, with what to do next."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .shapes.progress import Snapshot


class ClientError(Exception):
    """What every error of the client is: `message` says what, `hint` what to do next (or "")."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """All of it, as crowdctl tells it: the end of a traceback is what people see in a notebook."""
        problems = [f"  - {problem}" for problem in getattr(self, "problems", ())]
        return "\n".join([self.message, *problems, *([f"  {self.hint}"] if self.hint else [])])


class DaemonUnreachable(ClientError):
    """No daemon answers at the socket, or this user may not use it."""


class ConnectionCut(DaemonUnreachable):
    """The daemon went away in mid-answer; what was asked may or may not have been done."""


class LaunchUnknown(ConnectionCut):
    """The daemon went away during a launch. The same `launch_id` again never launches twice."""

    def __init__(self, message: str, hint: str, launch_id: str) -> None:
        super().__init__(message, hint)
        self.launch_id = launch_id


class NotUnderstood(ClientError):
    """The daemon answered something else than this client knows."""


class NotEnded(ClientError):
    """The time to wait is over, and `runs` have not ended. `snapshots`: how all of them stand."""

    def __init__(
        self, message: str, hint: str, runs: Sequence[str], snapshots: "Sequence[Snapshot]" = ()
    ) -> None:
        super().__init__(message, hint)
        self.runs = list(runs)
        self.snapshots = list(snapshots)


class Refused(ClientError):
    """The daemon understood and said no. `code` is stable, for programs."""

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code


class NoSuchRun(Refused):
    """There is no run of this number or label."""


class NoSuchThing(Refused):
    """There is no worker, file or other thing of this name."""


class LaunchRefused(Refused):
    """The task was not launched; `problems` are all that was found."""

    def __init__(self, message: str, hint: str, problems: Sequence[str]) -> None:
        super().__init__(422, "launch_refused", message, hint)
        self.problems = list(problems)


class ReloadRefused(Refused):
    """The configuration was not taken up; `problems` are all that was found."""

    def __init__(self, message: str, hint: str, problems: Sequence[str]) -> None:
        super().__init__(422, "reload_refused", message, hint)
        self.problems = list(problems)


class ExtensionRefused(Refused):
    """The run was not extended; `problems` are all that was found."""

    def __init__(self, message: str, hint: str, problems: Sequence[str]) -> None:
        super().__init__(422, "extension_refused", message, hint)
        self.problems = list(problems)


class TaskFolderRefused(ClientError):
    """The folder cannot be sent as it is."""


class FileNotWritten(ClientError):
    """What was asked for cannot be written to this file."""

    def __init__(self, path: object, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror or error}.",
            "It is as it was before, and nothing is lost: name another file, or ask again.",
        )
