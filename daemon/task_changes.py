"""What of a run's config may change while the run goes on, and what else not and why. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from .overrides import override
from .structuring import Faults, make_converter, near_name, structure
from .task_config import ConfigRefused, Limits, Pay, RunConfig
from .task_fields import Reward, reward

CHANGING = {"limits": Limits, "pay": Pay}
"""Tables of task.toml that may change."""
_PEOPLE = "those who were let in were judged by it"
WHY_FIXED = {
    "blueprint": "units that are out were made by it",
    "provider": "workers come through it",
    "architect": "its pages are where it put them",
    "label": "links that were given out lead there",
    "shared_origin": "links that were given out lead there",
    "name": "its records belong to it",
    "task": "its records belong to it",
    "project": "its records belong to it",
    "requester": "its records belong to it",
    "title": "workers know it by that",
    "description": "workers know it by that",
    "tags": "workers know it by that",
    "texts": "pages that are open were told so",
    "task_config": "pages that are open were told so",
    "release_on_close": "who is at work began under it",
    "block_qualification": _PEOPLE,
    "qualifications": _PEOPLE,
    "onboarding": _PEOPLE,
    "screening": _PEOPLE,
    "gold": _PEOPLE,
    "choice": "its units are ordered by it",
    "uploads": "files that came were judged by it",
    "review": "reviews that were given followed it",
}
_TABLES = [field.name for field in attrs.fields(RunConfig)]
_BY_NAME = {table: table for table in _TABLES if table not in CHANGING} | {
    field.name: f"{table}.{field.name}" for table, cls in CHANGING.items() for field in attrs.fields(cls)
}
"""What may be meant, by its last name."""


@attrs.frozen
class Change:
    """One setting that is another now, in words; `before` is None for what was not there."""

    key: str
    before: str | None
    after: str

    def in_words(self) -> tuple[str | None, str]:
        """As history has it."""
        return None if self.before is None else f"{self.key}={self.before}", f"{self.key}={self.after}"


def changed_config(config: RunConfig, settings: Mapping[str, str]) -> RunConfig:
    """The config with `limits.grace_s`-like keys set to what these words mean.

    ConfigRefused: everything that is wrong, at once; what cannot change is named with the reason.
    """
    converter = make_converter({Reward: reward})
    document: dict[str, Any] = {name: converter.unstructure(getattr(config, name)) for name in CHANGING}
    problems = [why for key, words in settings.items() if (why := _set(document, key, words)) is not None]
    parts: dict[str, Any] = {}
    for name, cls in CHANGING.items():
        try:
            parts[name] = structure(converter, document[name], cls, name)
        except Faults as exc:
            problems += exc.problems
    if problems:
        raise ConfigRefused(problems)
    return attrs.evolve(config, **parts)


def changes_between(before: RunConfig, after: RunConfig) -> Iterator[Change]:
    """Every setting that differs, in the order of task.toml."""
    for name in CHANGING:
        old, new = attrs.asdict(getattr(before, name)), attrs.asdict(getattr(after, name))
        for key, value in new.items():
            if value != old[key]:
                yield Change(f"{name}.{key}", _shown(old[key]), _shown(value))


def _set(document: dict[str, Any], key: str, words: str) -> str | None:
    table = key.partition(".")[0]
    if table not in CHANGING:
        return f"{key}: {_why_not(key, table)}"
    if table == key:
        return f"{key}: is a table; write {key}.NAME=VALUE"
    return override(document, key, words)


def _why_not(key: str, table: str) -> str:
    if table not in _TABLES:
        return f"unknown; {_meant(key)}`crowdctl options task` lists limits.NAME and pay.reward"
    why = WHY_FIXED.get(table, "it is part of what was launched")
    return f"cannot change while the run goes on: {why}; stop the run and launch again"


def _meant(key: str) -> str:
    """A question for the setting that is nearest by its last name, or else for those with this word in it."""
    word = key.rpartition(".")[2]
    near = near_name(word, _BY_NAME)
    meant = [name for name in _BY_NAME if word in name.split("_")] if near is None else [near]
    return f"did you mean {' or '.join(repr(_BY_NAME[name]) for name in meant)}? " if meant else ""


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
