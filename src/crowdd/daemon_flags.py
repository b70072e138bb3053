"""The flags of `crowdd serve`, which `crowdd config` takes, too, and what they say of the configuration."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .logs.parts import LEVELS, PARTS, UnknownName, read_levels

if TYPE_CHECKING:
    from .daemon.config_layers import Asked

F = TypeVar("F", bound=Callable[..., Any])
Words = tuple[str, ...]

PARTS_HELP = "\b\nThe parts that log, for --log-level and `crowdctl log`:\n" + "\n".join(
    f"  {name:20} {part.meaning}" for name, part in PARTS.items()
)


def _known_levels(_context: click.Context, _option: click.Parameter, words: Words) -> Words:
    try:
        read_levels(words)
    except UnknownName as unknown:
        raise click.BadParameter(str(unknown)) from None
    return words


log_level_option = click.option(
    "--log-level",
    "log_levels",
    multiple=True,
    metavar="[PART=]LEVEL",
    callback=_known_levels,
    help=f"{', '.join(LEVELS)}, for all or for one part; may be repeated  [info].",
)
log_format_option = click.option(
    "--log-format", type=click.Choice(["text", "json"]), help="How a line of the log looks  [text]."
)


def _metrics_address(_context: click.Context, _option: click.Parameter, said: str | None) -> str | None:
    from .daemon.metrics.address import AddressRefused, metrics_address

    try:
        if said is not None:
            metrics_address(said)
    except AddressRefused as refused:
        raise click.BadParameter(str(refused)) from None
    return said


_PATH = click.Path(path_type=Path)
_FLAGS = (
    click.option(
        "--config",
        type=_PATH,
        help="A crowdd.toml  [in $CONFIGURATION_DIRECTORY of a service, else DATA/crowdd.toml, if there].",
    ),
    click.option("--data", type=_PATH, help="Where everything is kept  [crowdd-data]."),
    log_level_option,
    log_format_option,
    click.option("--control", type=_PATH, help="The control socket  [DATA/control]."),
    click.option("--routers", type=_PATH, help="The routers that run already  [DATA/routers.toml]."),
    click.option("--end-routers", is_flag=True, help="At the end, take local routers down, too."),
    click.option(
        "--metrics",
        metavar="ADDRESS",
        callback=_metrics_address,
        help="Serve metrics for Prometheus at 127.0.0.1:9469 (any loopback address) or unix:/path [nowhere].",
    ),
)


def daemon_flags(command: F) -> F:
    """Give a command all flags of `crowdd serve`; `asked_by` reads them."""
    for option in reversed(_FLAGS):
        command = option(command)
    return command


def asked_by(
    config: Path | None,
    data: Path | None,
    control: Path | None,
    routers: Path | None,
    log_levels: Words,
    log_format: str | None,
    end_routers: bool,
    metrics: str | None,
) -> "Asked":
    """What the flags and this process's environment ask for."""
    from .daemon.config_layers import Asked

    given = {
        "data": data and str(data),
        "control": control and str(control),
        "routers": routers and str(routers),
        "metrics": metrics,
        "end_routers": end_routers or None,
        "log.level": [*log_levels] or None,
        "log.format": log_format,
    }
    flags = {path: value for path, value in given.items() if value is not None}
    return Asked(flags, dict(os.environ), config)
