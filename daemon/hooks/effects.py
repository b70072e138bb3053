"""What a hook does to a worker's qualifications: seen at once, stored with the decision it was asked for."""

from collections.abc import Collection, Iterable, Mapping

import attrs

from ...protocol.names import WorkerId
from ...storage.writes import SetGrant, TakeGrant, Write

QUALIFICATION_CHARACTERS_MAX = 500
BY = "task"  # in the history: the author's own code
VALUE_MAX = 2**31 - 1  # what every database's integer holds


@attrs.frozen
class Effect:
    """The worker's value of a qualification is to be this; None: the grant is to be taken away."""

    name: str
    value: int | None


def grants_of(effects: Iterable[Effect], worker_id: WorkerId, grants: Collection[str]) -> list[Write]:
    """The writes that make it so; `grants` are the names that the worker has."""
    writes: list[Write] = []
    for effect in effects:
        if effect.value is not None:
            writes.append(SetGrant(effect.name, worker_id, effect.value, BY, "granted by a hook"))
        elif effect.name in grants:
            writes.append(TakeGrant(effect.name, worker_id, BY, "revoked by a hook"))
    return writes


class GrantsOver:
    """A worker's grants, and over them what one call of a hook changed. Lives no longer than the call."""

    def __init__(self, grants: Mapping[str, int], may_grant: bool = True) -> None:
        self._grants = dict(grants)
        self._changes: dict[str, int | None] = {}
        self._may_grant = may_grant

    def value(self, name: str) -> int | None:
        """The value as the hook sees it; None without a grant."""
        return self._changes[name] if name in self._changes else self._grants.get(name)

    def all(self) -> dict[str, int]:
        """Every grant as the hook sees it."""
        over = {**self._grants, **self._changes}
        return {name: value for name, value in over.items() if value is not None}

    def set(self, name: str, value: int | None) -> None:
        """Change it. ValueError, TypeError: no name or value that can be kept, or no hook that may grant."""
        if not self._may_grant:
            raise TypeError("this hook is asked at every load of a page: grant in another one")
        if not isinstance(name, str) or not name.strip() or len(name) > QUALIFICATION_CHARACTERS_MAX:  # pyright: ignore[reportUnnecessaryIsInstance]: an author's code is not type-checked
            raise ValueError(f"no name of a qualification: {name!r}")
        name.encode()  # UnicodeEncodeError is a ValueError: no store holds half a character
        if value is not None and not _is_value(value):
            raise ValueError(f"the value of {name!r} must be a whole number, not {value!r}")
        self._changes[name] = value

    def effects(self) -> tuple[Effect, ...]:
        """What is to be stored, in the order of first change."""
        return tuple(
            Effect(name, value) for name, value in self._changes.items() if self._grants.get(name) != value
        )


def _is_value(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= VALUE_MAX
