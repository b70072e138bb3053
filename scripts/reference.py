"""Writes the generated pages of docs/reference: the commands of `crowdd`, and every option. `make reference`.

They are committed, so that a code host shows them; a test says when they are not what the code says.
crowdctl's page is written by tests/client/test_golden.py, which has what it takes to show its answers, too.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click

from crowdd.cli import crowdd
from crowdd.daemon.daemon_config import DaemonConfig
from crowdd.daemon.options import Option, options_of
from crowdd.daemon.registry import Kind, installed_plug_ins
from crowdd.daemon.routers import KnownRouter
from crowdd.daemon.task_config import RunConfig
from crowdd.daemon.task_options import PlugInAbout, plug_ins

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
WIDTH = 90
NOTE = "*This page is made from the code by `make reference`; change it there.*\n"
KINDS = {
    Kind.BLUEPRINT: "What a task is: `type` in `[blueprint]`; the other options of that table are its own.",
    Kind.PROVIDER: "Where workers come from: `type` in `[provider]`.",
    Kind.ARCHITECT: "How a run gets its routers: `type` in `[architect]`.",
}


def pages() -> Mapping[str, str]:
    """The generated pages, by file name."""
    return {"crowdd.md": crowdd_page(), "options.md": options_page()}


# --- commands


def crowdd_page() -> str:
    """Every command of `crowdd`, with its help."""
    return "\n".join(
        [
            "# The command crowdd\n",
            NOTE,
            "`crowdd` starts things and looks after files. A daemon is asked with [crowdctl](crowdctl.md).\n",
            *(
                f"## {path}\n\n```text\n{help_of(command, path)}```\n"
                for path, command in commands(crowdd, "crowdd")
            ),
        ]
    )


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and those below it, each with all its words; not what only our own processes call."""
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            if not inner.hidden:
                yield from commands(inner, f"{path} {name}")


def help_of(command: click.Command, path: str) -> str:
    """What `--help` says, at one width wherever it is asked."""
    with click.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH) as context:
        return "".join(f"{line.rstrip()}\n" for line in command.get_help(context).splitlines())


# --- options


def options_page() -> str:
    """Every option of task.toml, of each plug-in, and of the files beside the daemon."""
    kinds = [kind.value for kind in Kind]
    own = [option for option in options_of(RunConfig) if option.path not in kinds]
    return "\n".join(
        [
            "# Options\n",
            NOTE,
            "On a machine with crowdd, `crowdctl options` says the same, plug-ins of your own included.\n",
            "## task.toml\n",
            "Options with a dot stand in a table: `limits.grace_s = 20` may be written under `[limits]` as "
            "`grace_s = 20`. `crowdctl launch DIR limits.grace_s=30` replaces what the file says.\n",
            table(own),
            *(section(kind, said) for kind, said in KINDS.items()),
            "## crowdd.toml\n",
            "What the daemon is told. `crowdd config init` writes the file with all of this in it; a flag of "
            "`crowdd serve` goes before a `CROWDD_` variable, that before the file.\n",
            table(options_of(DaemonConfig)),
            "## routers.toml\n",
            "The routers that run already, a table each, called by its name. The file is the daemon's.\n",
            table(options_of(KnownRouter, "<name>")),
        ]
    )


def section(kind: Kind, said: str) -> str:
    """What there is of one kind of plug-in, with the options of each."""
    ours = [about for about in plug_ins(installed_plug_ins(), kind) if about.origin == "crowdd"]
    return "\n".join([f"## [{kind.value}]\n", f"{said}\n", *map(_plug_in, ours)])


def _plug_in(about: PlugInAbout) -> str:
    options = table(about.options) if about.options else "It has no options.\n"
    return f"### {about.kind.value} {about.name}\n\n{about.meaning}\n\n{options}"


def table(options: Sequence[Option]) -> str:
    """Options as a Markdown table."""
    rows = [("option", "default", "meaning"), ("---",) * 3, *map(_cells, options)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _cells(option: Option) -> Iterable[str]:
    default = "*required*" if option.required else f"`{option.default_text}`" if option.default_text else ""
    meaning = f"{_safe(option.meaning)} *{_safe(option.type)}*"
    return f"`{option.path}`", default.replace("|", "\\|"), meaning.strip()


def _safe(text: str) -> str:
    """Text for a table's cell; what stands between backticks is left as it is."""
    plain, *rest = text.replace("|", "\\|").split("`")
    return "`".join(
        part if number % 2 else part.replace("<", "&lt;").replace("[", "\\[")
        for number, part in enumerate([plain, *rest])
    )


def write(folder: Path) -> None:
    """Write the pages into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
