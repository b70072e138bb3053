"""Options and arguments that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..client import Client
from ..terminal import safe

F = TypeVar("F", bound=Callable[..., Any])

pass_client = click.make_pass_decorator(Client)


def pair_of(text: str) -> tuple[str, str]:
    """KEY=VALUE as its two parts."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.UsageError(
            f"{safe(text)!r} is no override: write KEY=VALUE, e.g. limits.grace_s=60; "
            "`crowdctl options task` lists the keys."
        )
    return key, value


class NumberOf(click.IntRange):
    """The number of an agent or a unit; says where the numbers are to whoever gives something else."""

    def __init__(self, what: str) -> None:
        super().__init__(1)
        self._what = what

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. BadParameter: it is none."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            hint = f"`crowdctl {self._what}s RUN` lists them"
            self.fail(f"{safe(str(value))!r} is no {self._what}'s number: {hint}.", param, ctx)


def run_argument(command: F) -> F:
    """The run: its number or label."""
    return click.argument("run", metavar="RUN")(command)


def json_option(command: F) -> F:
    """`--json`, for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(command)


def status_option(command: F) -> F:
    """`--status`, to choose rows."""
    return click.option(
        "--status", "statuses", multiple=True, metavar="STATUS", help="Only these; may be repeated."
    )(command)
