"""What a daemon is told by its operator: `crowdd.toml` as frozen classes. Reads no file, no environment."""

import enum
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import attrs
from cattrs import Converter

from ..logs.parts import DEFAULT_LEVEL, UnknownName, read_levels
from .departure import Manner
from .metrics.address import AddressRefused, MetricsAddress, metrics_address
from .options import EXAMPLE, LIVE
from .pace import Pace
from .roles import GROUP, Names, RolesConfig
from .structuring import Fault, make_converter, structure, text

CONFIG_NAME = "crowdd.toml"

Place = Annotated[Path, "place", "path"]
"""A path anywhere on this machine."""
Levels = Annotated[tuple[str, ...], "levels", "[PART=]LEVEL, or a list of them"]
"""As `logs.parts.read_levels` reads them."""
Address = Annotated[MetricsAddress, "address", "loopback address with its port, or unix:/path"]


class LogForm(enum.Enum):
    """How a line of the log looks."""

    TEXT = "text"
    JSON = "json"


@attrs.frozen
class LogConfig:
    """What the daemon logs, and how."""

    level: Levels = attrs.field(default=(DEFAULT_LEVEL,), metadata={LIVE: True})
    """From which level on, for all or for one part: ["info", "daemon.intake=debug"]; the later one wins."""
    format: LogForm = attrs.field(default=LogForm.TEXT, metadata={LIVE: True})
    """How a line of the log looks."""


@attrs.frozen
class DaemonConfig:
    """What a daemon is told at its start."""

    data: Place = Path("crowdd-data")
    """The folder where everything is kept."""
    control: Place | None = attrs.field(default=None, metadata={EXAMPLE: "/run/crowdd/control"})
    """The control socket, for crowdctl; by default `control` in the data folder."""
    routers: Place | None = attrs.field(default=None, metadata={EXAMPLE: "/etc/crowdd/routers.toml"})
    """The file that names routers which run already; by default `routers.toml` in the data folder."""
    metrics: Address | None = attrs.field(default=None, metadata={EXAMPLE: "127.0.0.1:9469", LIVE: True})
    """Where metrics are served for Prometheus; by default nowhere."""
    end_routers: bool = False
    """True: at a stop, local routers of unfinished runs end, too, instead of telling pages to wait."""
    spare_router: bool = True
    """True: once a run has started a local router, a process is kept ready for the next one (some 35 MB)."""
    on_sigterm: Manner = Manner.STOP
    """What SIGTERM does: stop says goodbye to everybody; suspend lets nobody notice, for a restart."""
    roles: RolesConfig = attrs.Factory(RolesConfig)
    log: LogConfig = attrs.Factory(LogConfig)
    pace: Pace = attrs.Factory(Pace)

    @property
    def control_path(self) -> Path:
        """Where the control socket is."""
        return self.control or self.data / "control"


def structure_daemon_config(document: Mapping[str, Any]) -> DaemonConfig:
    """The document as a config. Faults: everything that is wrong."""
    return structure(_converter(), document, DaemonConfig)


def plain_daemon_config(config: DaemonConfig) -> dict[str, Any]:
    """The config as a document of the same form."""
    document: dict[str, Any] = _converter().unstructure(config)
    return document


def is_live(path: str) -> bool:
    """Whether a change of this option is taken up by a reload."""
    wanted: Any = DaemonConfig
    *tables, last = path.split(".")
    for name in tables:
        wanted = attrs.fields_dict(wanted)[name].type
    return bool(attrs.fields_dict(wanted)[last].metadata.get(LIVE))


def _converter() -> Converter:
    converter = make_converter({Place: _place, Levels: _levels, Address: _address, Names: _names})
    converter.register_unstructure_hook(MetricsAddress, lambda address: address.text)
    return converter


def _place(value: Any, _: Any) -> Path:
    said = text(value)
    if not said or "\0" in said:
        raise Fault("must be a path, not empty")
    return Path(said)


def _levels(value: Any, _: Any) -> tuple[str, ...]:
    given = cast(Iterable[Any], value if isinstance(value, list) else text(value).split(","))
    words = [text(word).strip() for word in given]
    try:
        read_levels(words)
    except UnknownName as unknown:
        raise Fault(f"{_inner(unknown.message)}; {_inner(unknown.hint)}") from None
    return tuple(words)


def _names(value: Any, _: Any) -> tuple[str, ...]:
    given = cast(Iterable[Any], value if isinstance(value, list) else text(value).split(","))
    names = tuple(text(name).strip() for name in given)
    for name in names:
        if not name.removeprefix(GROUP) or not name.isprintable():
            raise Fault(f'{name!r} names nobody: write a user as "ann", a group as "@lab"')
    return names


def _address(value: Any, _: Any) -> MetricsAddress:
    try:
        return metrics_address(text(value))
    except AddressRefused as refused:
        raise Fault(str(refused)) from None


def _inner(sentence: str) -> str:
    """A sentence as a part of another."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")
