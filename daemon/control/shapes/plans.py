"""What a launch would run, and what can be set for it."""

from typing import Any, TypedDict


class PlanView(TypedDict):
    """What a launch would run. `units_more`: there may be more than `units`, or nobody knows (null).

    `address` is as far as it is known before: `<port>` stands for one that is chosen then.
    """

    name: str
    label: str
    blueprint: str
    provider: str
    sandbox: bool
    architect: str
    units: int | None
    units_more: bool
    reward: str
    pay_total: str | None
    address: str
    warnings: list[str]


class OptionView(TypedDict):
    """Something that can be set; `default_text` is the default as TOML has it."""

    path: str
    type: str
    required: bool
    default: Any
    default_text: str
    meaning: str


class PlugInView(TypedDict):
    """A plug-in, what brings it (a distribution, or task.py), its options, and why it cannot be used."""

    kind: str
    name: str
    meaning: str
    origin: str
    options: list[OptionView]
    trouble: str


class OptionsView(TypedDict):
    """Plug-ins with their options, and options that are nobody's own."""

    plug_ins: list[PlugInView]
    options: list[OptionView]
