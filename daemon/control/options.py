"""Endpoints that say what can be set: for a task, by a plug-in, for the task of a folder."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from ..options import Option
from ..registry import BrokenPlugIn, Kind, UnknownPlugIn
from ..structuring import nearest
from ..task_options import PlugInAbout, about_plug_in, plug_ins, task_options
from .answers import json_answer
from .errors import ControlError, bad_request
from .questions import operator_of
from .shapes.plans import OptionsView, OptionView, PlugInView
from .task_upload import unpacked_task

TASK = "task"
"""Beside the kinds of plug-ins: task.toml itself."""
KINDS = [*(kind.value for kind in Kind), TASK]


async def show_options(request: Request) -> Response:
    """All plug-ins; those of a `kind` (and a `name`) with their options; or all of task.toml for `task`."""
    registry = operator_of(request).plug_ins
    word, name = request.query_params.get("kind"), request.query_params.get("name")
    try:
        if word == TASK:
            return _answer((), task_options(registry))
        if word is None and name is not None:
            raise bad_request(f"name={name} needs a kind.", "E.g. kind=blueprint.")
        kinds = list(Kind) if word is None else [_kind(word)]
        if name is not None:
            return _answer([about_plug_in(registry, kinds[0], name)])
        return _answer([about for kind in kinds for about in plug_ins(registry, kind)])
    except (UnknownPlugIn, BrokenPlugIn) as exc:
        raise ControlError(404, "no_such_plug_in", f"{exc}"[:1].upper() + f"{exc}"[1:]) from exc


async def show_folder_options(request: Request) -> Response:
    """What can be set for the task in the body, a tar.gz; its task.py is run as at a launch."""
    operator = operator_of(request)
    async with unpacked_task(request) as folder:
        found = await operator.folder_options(folder)
    return _answer(found.own, found.options)


def _kind(word: str) -> Kind:
    known = {kind.value: kind for kind in Kind}
    if word not in known:
        hint = nearest(word, KINDS)
        raise ControlError(404, "no_such_kind", f"There is no kind {word!r} of plug-in.", hint.capitalize())
    return known[word]


def _answer(plug_ins: Iterable[PlugInAbout], options: Iterable[Option] = ()) -> Response:
    view: OptionsView = {
        "plug_ins": [_plug_in_view(about) for about in plug_ins],
        "options": [_option_view(option) for option in options],
    }
    return json_answer(view)


def _plug_in_view(about: PlugInAbout) -> PlugInView:
    return {
        "kind": about.kind.value,
        "name": about.name,
        "meaning": about.meaning,
        "origin": about.origin,
        "options": [_option_view(option) for option in about.options],
        "trouble": about.trouble,
    }


def _option_view(option: Option) -> OptionView:
    return {
        "path": option.path,
        "type": option.type,
        "required": option.required,
        "default": option.default,
        "default_text": option.default_text,
        "meaning": option.meaning,
    }
