"""A run's config as the rules of its admission. Decides nothing."""

from collections.abc import Collection

from .admission import GoldRules, Hook, Requirement, Rules, ScreeningRules, WorkerLimits
from .admission_config import Gold, Screening
from .hooks import HookName
from .task_config import RunConfig


def rules_of(config: RunConfig, hooks: Collection[HookName] = ()) -> Rules:
    """What `config` and the author's hooks say about who may work on what."""
    limits = config.limits
    return Rules(
        requirements=tuple(
            Requirement(each.name, each.comparator, each.value, each.applicable_providers)
            for each in config.qualifications
        ),
        block_qualification=config.block_qualification,
        limits=WorkerLimits(limits.allowed_concurrent, limits.maximum_units_per_worker),
        onboarding=None if config.onboarding is None else config.onboarding.qualification,
        screening=None if config.screening is None else _screening(config.screening),
        gold=None if config.gold is None else _gold(config.gold),
        order=config.choice.order,
        hooks=frozenset(hook for hook in Hook if HookName(hook.value) in hooks),
    )


def _screening(config: Screening) -> ScreeningRules:
    return ScreeningRules(config.qualification, config.max_units, config.use_real_units)


def _gold(config: Gold) -> GoldRules:
    return GoldRules(
        config.qualification_base, config.max_units, config.min_golds, config.max_incorrect_golds
    )
