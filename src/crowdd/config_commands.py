"""`crowdd config`: writes, shows and changes crowdd.toml, without a daemon."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .daemon_flags import asked_by, daemon_flags

if TYPE_CHECKING:
    from .daemon.config_layers import Configured, Setting

EXIT_FAULTY = 2  # as for a misspelt flag: a restart would not cure it
RELOAD = "`systemctl reload crowdd`, or kill -HUP of the daemon"
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def say_faults(problems: Sequence[str]) -> int:
    """Say on stderr what is wrong with a configuration; the exit status."""
    from .client.terminal import counted, safe

    click.echo(f"crowdd: {counted(len(problems), 'problem')} with the configuration:", err=True)
    for problem in problems:
        click.echo(f"  - {safe(problem)}", err=True)
    return EXIT_FAULTY


def _refuse(problems: Sequence[str]) -> NoReturn:
    raise SystemExit(say_faults(problems))


@click.group()
def config() -> None:
    """What `crowdd serve` is told: write, show and change its crowdd.toml.

    A value comes from a flag, else from a CROWDD_ variable, else from crowdd.toml, else it is the default.
    The file is the one of --config or CROWDD_CONFIG, else crowdd.toml in the folder that systemd names to a
    service (/etc/crowdd), else crowdd.toml in the data folder.

    \b
    crowdd config init                                     crowdd-data/crowdd.toml, every option explained
    crowdd config show --config /etc/crowdd/crowdd.toml    each value and where it comes from
    crowdd config set log.level debug                      change one, keep the rest as it is
    """


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
def init(file: Path | None) -> None:
    """Write FILE with every option, its default and meaning [crowdd.toml in the data folder]."""
    from .daemon.config_layers import Asked
    from .daemon.config_writing import write_template
    from .daemon.daemon_config import CONFIG_NAME
    from .daemon.structuring import Faults

    path = file or Asked(environment=dict(os.environ)).data_folder() / CONFIG_NAME
    try:
        write_template(path)
    except Faults as faults:
        _refuse(faults.problems)
    click.echo(f"{path}: written. It changes nothing yet: take the # away from what you change.")


@config.command()
@daemon_flags
@_json_option
def show(as_json: bool, **flags: Any) -> None:
    """Say each value, and where it comes from; the flags are those of `crowdd serve`."""
    from .client.terminal import say_json, say_table

    found = _configured(flags)
    for warning in found.warnings:
        click.echo(f"crowdd: {warning}", err=True)
    if as_json:
        say_json(_views(found.settings))
        return
    say_table(["OPTION", "VALUE", "FROM"], [[s.path, _shown(s), _origin(s)] for s in found.settings])


@config.command()
@click.argument("key")
@daemon_flags
@_json_option
def get(key: str, as_json: bool, **flags: Any) -> None:
    """Print the value of one option; nothing, if it has none."""
    from .client.terminal import say_json
    from .daemon.structuring import Faults

    try:
        setting = _configured(flags).find(key)
    except Faults as faults:
        _refuse(faults.problems)
    if as_json:
        say_json(_views([setting])[0])
    else:
        click.echo(setting.value if isinstance(setting.value, str) else _shown(setting))


@config.command("set")
@click.argument("key")
@click.argument("value")
@click.option("--config", "file", type=click.Path(path_type=Path), help="The crowdd.toml to change.")
@click.option("--data", type=click.Path(path_type=Path), help="The data folder with it  [crowdd-data].")
def set_(key: str, value: str, file: Path | None, data: Path | None) -> None:
    """Change one option in crowdd.toml; everything else in it stays as it is.

    \b
    crowdd config set pace.goodbye_s 5
    crowdd config set log.level '["info", "daemon.intake=debug"]'
    """
    from .daemon.config_layers import Asked
    from .daemon.config_writing import set_value
    from .daemon.structuring import Faults

    asked = Asked({} if data is None else {"data": str(data)}, dict(os.environ), file)
    try:
        configured = set_value(asked, key, value)
    except Faults as faults:
        _refuse(faults.problems)
    setting = configured.find(key)
    click.echo(f"{configured.file}: {key} = {value}")
    click.echo(
        f"A reload takes it up: {RELOAD}." if setting.live else "It holds from the daemon's next start."
    )
    if setting.source.kind.value != "file":
        click.echo(
            f"But here {setting.source.where} says {_shown(setting)}, and goes before the file.", err=True
        )


def _configured(flags: dict[str, Any]) -> "Configured":
    from .daemon.structuring import Faults

    try:
        return asked_by(**flags).configure()
    except Faults as faults:
        _refuse(faults.problems)


def _shown(setting: "Setting") -> str:
    from .daemon.options import toml_text

    return "" if setting.value is None else toml_text(setting.value)


def _origin(setting: "Setting") -> str:
    said = setting.source.where or setting.source.kind.value
    return said + (
        f" (before {', '.join(source.where for source in setting.unused)})" if setting.unused else ""
    )


def _views(settings: "Sequence[Setting]") -> list[dict[str, Any]]:
    from .daemon.daemon_config import DaemonConfig
    from .daemon.options import options_of

    meanings = {option.path: option.meaning for option in options_of(DaemonConfig)}
    return [
        {
            "key": setting.path,
            "value": setting.value,
            "source": setting.source.kind.value,
            "where": setting.source.where,
            "unused": [source.where for source in setting.unused],
            "takes_up": "reload" if setting.live else "restart",
            "meaning": meanings[setting.path],
        }
        for setting in settings
    ]
