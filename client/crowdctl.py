"""crowdctl: asks the daemon over its control socket. Reads the environment, here and nowhere else."""

import os
from pathlib import Path
from typing import Any

import click

from .client import Client
from .command_table import CommandTable
from .errors import ClientError
from .exit_codes import HELP, ExitCode, exit_code_of
from .socket_path import default_socket
from .terminal import say_error
from .topics import OTHER, TOPICS, topic_of


class Crowdctl(click.Group):
    """A group whose errors are told in words and end in stable exit codes; its help goes by topic."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by topic, in the order of the table."""
        width = max(map(len, self.commands))
        room = formatter.width - formatter.indent_increment - width - 4
        for topic in (*TOPICS, OTHER):
            names = [name for name in [*TOPICS.get(topic, ()), *self.commands] if topic_of(name) == topic]
            listed = [name for name in dict.fromkeys(names) if name in self.commands]
            if listed:
                with formatter.section(topic):
                    formatter.write_dl(
                        [(f"{name:{width}}", self.commands[name].get_short_help_str(room)) for name in listed]
                    )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; ends crowdctl by itself after an error."""
        try:
            return super().invoke(ctx)
        except ClientError as exc:
            say_error(exc)
            ctx.exit(exit_code_of(exc))
        except KeyboardInterrupt:
            click.echo(err=True)
            ctx.exit(ExitCode.INTERRUPTED)


@click.group(
    cls=Crowdctl,
    commands=CommandTable(),
    epilog=HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The daemon's control socket. Default: $CROWDD_SOCKET, ./crowdd-data/control, /run/crowdd/control.",
)
@click.version_option(package_name="crowdd", prog_name="crowdctl")
@click.pass_context
def main(ctx: click.Context, socket: Path | None) -> None:
    """Control the crowdd daemon: launch task runs, watch them, export what came in.

    RUN is a run's number or its label.

    \b
    crowdctl launch my-task          send a task folder and launch it
    crowdctl watch my-task           see it progress
    crowdctl export my-task -o answers.jsonl
    """
    ctx.obj = Client(socket if socket is not None else default_socket(os.environ))
