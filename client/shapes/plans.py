"""What a launch would run, and what can be set for it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class PlanInfo:
    """What a launch would run."""

    name: str
    label: str
    blueprint: str
    provider: str
    sandbox: bool
    architect: str
    units: int | None
    """None: rows() of task.py makes them as it goes."""
    units_more: bool
    """Whether there may be more."""
    reward: str
    pay_total: str | None
    address: str
    """As far as it is known before the launch; `<port>` stands for one that is chosen then."""
    warnings: tuple[str, ...]
    """What may be meant so, and hardly is."""


@dataclass(frozen=True, kw_only=True)
class OptionInfo:
    """Something that can be set."""

    path: str
    type: str
    required: bool
    default: Any
    default_text: str
    """The default as TOML has it."""
    meaning: str


@dataclass(frozen=True, kw_only=True)
class PlugInInfo:
    """A blueprint, provider or architect, and what can be set for it."""

    kind: str
    name: str
    meaning: str
    origin: str
    """The distribution that brings it, or task.py."""
    options: tuple[OptionInfo, ...]
    trouble: str


@dataclass(frozen=True, kw_only=True)
class OptionsInfo:
    """Plug-ins with their options, and options that are nobody's own."""

    plug_ins: tuple[PlugInInfo, ...]
    options: tuple[OptionInfo, ...]
