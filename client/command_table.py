"""Where each command of crowdctl is, by name; its module is imported when the command is first asked for."""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module

import click

from .topics import examples_of

MODULES: Mapping[str, str] = {
    "launch": "launch",
    "runs": "runs",
    "show": "runs",
    "watch": "watch",
    "units": "lists",
    "agents": "lists",
    "errors": "errors",
    "owed": "owed",
    "late": "late",
    "pay-late": "pay_late",
    "workers": "workers",
    "worker": "workers",
    "approve": "review",
    "soft-reject": "review",
    "reject": "review",
    "why": "why",
    "qualifications": "qualifications",
    "grant": "grants",
    "revoke": "revoke",
    "block": "block",
    "unblock": "block",
    "extend": "extend",
    "links": "links",
    "pause": "pause",
    "resume": "pause",
    "stop": "stop",
    "expire": "stop",
    "export": "export",
    "delete": "delete",
    "wait": "wait",
    "options": "option_list",
    "log": "log",
    "audit": "audit",
    "status": "runs",
    "disk": "disk",
    "backup": "backup",
    "reload": "reload",
    "restart": "restart",
}
"""Of `commands`; the command is there under its own name, with `_` for `-`."""


class CommandTable(MutableMapping[str, click.Command]):
    """The commands of MODULES, as a group of click wants them, and those that are set."""

    def __init__(self) -> None:
        self._places = dict(MODULES)
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module = import_module(f".commands.{self._places[name]}", __package__)
            command: click.Command = getattr(module, name.replace("-", "_"))
            command.epilog = examples_of(name)
            self._loaded[name] = command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._places.setdefault(name, "")
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._loaded.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
