"""crowdctl options: what can be set, for a task and for the plug-ins it may choose."""

from collections.abc import Sequence
from pathlib import Path

import click

from .. import shapes
from ..client import Client
from ..terminal import safe, say, say_json, say_table
from .options import json_option, pass_client

KINDS = ("blueprint", "provider", "architect")
TASK = "task"


@click.command()
@click.argument("what", required=False, metavar="[KIND|task|DIR]")
@click.argument("name", required=False)
@json_option
@pass_client
def options(client: Client, what: str | None, name: str | None, as_json: bool) -> None:
    """Say what can be set: each option with type, default and meaning.

    KIND is blueprint, provider or architect. For DIR, a task's folder, the daemon runs its task.py as a
    launch does, and tells the options of the plug-ins in it, too.
    """
    found = _found(client, what, name)
    if as_json:
        say_json(found)
    elif what is None:
        _list(found.plug_ins)
    else:
        _tell(found)


def _found(client: Client, what: str | None, name: str | None) -> "shapes.OptionsInfo":
    if what is None or what in KINDS:
        return client.options(what, name)
    if name is not None:
        raise click.UsageError(f"Only {', '.join(KINDS)} have names; {safe(what)} has none.")
    if what == TASK:
        return client.options(TASK)
    if not Path(what).is_dir():
        import difflib  # slow to import, and rarely needed

        close = difflib.get_close_matches(what, [*KINDS, TASK], n=1)
        hint = (
            f"Did you mean {close[0]!r}?"
            if close
            else f"Known: {', '.join(KINDS)}, {TASK}, or a task's folder."
        )
        raise click.UsageError(f"There is no kind of plug-in and no folder {safe(what)!r}. {hint}")
    return client.folder_options(what)


def _list(plug_ins: "Sequence[shapes.PlugInInfo]") -> None:
    say_table(
        ["KIND", "NAME", "FROM", "WHAT"],
        [[p.kind, p.name, p.origin, p.trouble or p.meaning] for p in plug_ins],
    )
    say("\nNext: crowdctl options task\n      crowdctl options KIND NAME")


def _tell(found: "shapes.OptionsInfo") -> None:
    if found.options:
        _table(found.options)
    for plug_in in found.plug_ins:
        if found.options or plug_in is not found.plug_ins[0]:
            say()
        say(_headline(plug_in))
        if plug_in.options:
            _table(plug_in.options)
        elif not plug_in.trouble:
            say("  It has no options.")


def _headline(plug_in: "shapes.PlugInInfo") -> str:
    origin = f" (from {plug_in.origin})" if plug_in.origin else ""
    return safe(f"{plug_in.kind} {plug_in.name}{origin}: {plug_in.trouble or plug_in.meaning}")


def _table(options: "Sequence[shapes.OptionInfo]") -> None:
    say_table(
        ["OPTION", "TYPE", "DEFAULT", "MEANING"],
        [[o.path, o.type, "(needed)" if o.required else o.default_text, o.meaning] for o in options],
    )
