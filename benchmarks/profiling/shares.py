"""Shares of what a sampler met: by function and by module, themselves and with all that they call."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import attrs

from .stacks import Call, Stack

EVERYWHERE = 0.95  # what so many stacks have is the way into the program, not a part of its work


@attrs.frozen
class Share:
    """In parts of all that was met."""

    name: str
    itself: float
    with_calls: float


def by_function(stacks: Iterable[Stack]) -> list[Share]:
    """Each function's share."""
    return _shares(stacks, str)


def by_module(stacks: Iterable[Stack]) -> list[Share]:
    """Each module's; of a library the whole package's."""
    return _shares(stacks, lambda call: call.module)


def most_itself(shares: Iterable[Share], count: int) -> list[Share]:
    """Those in which most was met, the largest first."""
    met = [share for share in shares if share.itself]
    return sorted(met, key=lambda share: (-share.itself, share.name))[:count]


def most_with_calls(shares: Iterable[Share], count: int) -> list[Share]:
    """Those under which most was met, the largest first, without what everything is under."""
    parts = [share for share in shares if share.with_calls < EVERYWHERE]
    return sorted(parts, key=lambda share: (-share.with_calls, share.name))[:count]


def _shares(stacks: Iterable[Stack], name_of: Callable[[Call], str]) -> list[Share]:
    itself, within = Counter[str](), Counter[str]()
    total = 0
    for stack in stacks:
        names: Sequence[str] = [name_of(call) for call in stack.calls] or ["?"]
        itself[names[-1]] += stack.times
        for name in set(names):  # once, however often it calls itself
            within[name] += stack.times
        total += stack.times
    return [Share(name, itself[name] / total, times / total) for name, times in within.items()]
