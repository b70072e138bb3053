"""Every answer that is no success."""

from typing import NotRequired, TypedDict


class RefusalView(TypedDict):
    """Why not, and what to do next. `code` is stable; `problems` are all that was found in a task."""

    code: str
    message: str
    hint: str
    problems: NotRequired[list[str]]


class ErrorView(TypedDict):
    """Every answer that is no success."""

    error: RefusalView
