"""The author's functions in task.py that admission and the end of a unit ask, and what they are shown."""

from .checking import SECTIONS, hook_faults, hook_warnings, hooks_of
from .effects import Effect, GrantsOver, grants_of
from .errors import HookFailed
from .finding import Found, find_hooks
from .hooks import Hooks, Known, Reply
from .items import ItemSource
from .judging import Judged
from .names import HOOKS, HookName
from .views import AgentView, AssignmentView, RunView, TaskView, UnitView, WorkerView

__all__ = [
    "HOOKS",
    "SECTIONS",
    "AgentView",
    "AssignmentView",
    "Effect",
    "Found",
    "GrantsOver",
    "HookFailed",
    "HookName",
    "Hooks",
    "ItemSource",
    "Judged",
    "Known",
    "Reply",
    "RunView",
    "TaskView",
    "UnitView",
    "WorkerView",
    "find_hooks",
    "grants_of",
    "hook_faults",
    "hook_warnings",
    "hooks_of",
]
