"""Endpoints about the daemon's own log: how much each part says, changed while it runs."""

import logging
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...logs.parts import PARTS, UnknownName, check_level, check_part, level_of, set_level
from .answers import json_answer
from .errors import ControlError, bad_request
from .questions import json_body, no_other_keys, who_asks
from .shapes.service import LogPartView, LogView

log = logging.getLogger(__name__)

_ELSEWHERE = "router"  # a router is a process of its own, with a log of its own


async def show_log(_request: Request) -> Response:
    """The parts that log, and how much each says."""
    parts: LogView = {"parts": [_view(part) for part in PARTS if not _is_elsewhere(part)]}
    return json_answer(parts)


async def set_log(request: Request) -> Response:
    """Let a part say more or less from now on, until the daemon ends."""
    body = await json_body(request)
    no_other_keys(body, {"part", "level"})
    part, level = _name(body, "part", check_part), _name(body, "level", check_level)
    if _is_elsewhere(part):
        message = f"The daemon does not log {part!r}: a router is a process of its own."
        hint = f'Start the router with log_level = ["{part}={level}"] in its router.toml.'
        raise ControlError(409, "not_here", message, hint)
    set_level(part, level)
    log.info("%s says %s from now on, for %s", part, level, who_asks(request))
    return json_answer(_view(part))


def _view(part: str) -> LogPartView:
    return {"part": part, "level": level_of(part), "meaning": PARTS[part].meaning}


def _is_elsewhere(part: str) -> bool:
    return part.split(".")[0] == _ELSEWHERE


def _name(body: dict[str, Any], key: str, check: Callable[[str], str]) -> str:
    name = body.get(key)
    if not isinstance(name, str):
        raise bad_request(f"`{key}` is missing, or no text.")
    try:
        return check(name)
    except UnknownName as unknown:
        raise ControlError(404, f"no_such_{unknown.kind}", unknown.message, unknown.hint) from None
