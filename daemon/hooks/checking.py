"""What is wrong or odd about a run's hooks, said before the launch."""

from pathlib import Path
from types import ModuleType

from ..blueprints.contract import Blueprint
from ..task_config import RunConfig
from .finding import Found, find_hooks
from .sources import source_faults, source_warnings

SECTIONS = ("onboarding", "screening", "gold")


def hooks_of(config: RunConfig, module: ModuleType | None, blueprint: Blueprint | None) -> Found:
    """The hooks that a run of this config has."""
    there = frozenset(section for section in SECTIONS if getattr(config, section) is not None)
    return find_hooks(module, blueprint, there)


def hook_faults(
    config: RunConfig, module: ModuleType | None, blueprint: Blueprint | None, folder: Path
) -> list[str]:
    """Every reason for which the task cannot be launched: "path: what, and what to do"."""
    found = hooks_of(config, module, blueprint)
    grouped = blueprint is not None and blueprint.live is not None and blueprint.live.group is not None
    return [*found.faults, *source_faults(config, found.functions, folder, grouped)]


def hook_warnings(config: RunConfig, module: ModuleType | None, blueprint: Blueprint | None) -> list[str]:
    """What may be meant so, and hardly is."""
    found = hooks_of(config, module, blueprint)
    return [*found.warnings, *source_warnings(config, found.functions)]
