"""Rule (c): per agent and direction the stored live updates count 1, 2, 3 without gap or repeat."""

from collections import defaultdict
from collections.abc import Iterator

from .case import Case, Rule, Violation


def check_streams(case: Case) -> Iterator[Violation]:
    """Look for gaps and repeats in what is stored of live updates."""
    streams: defaultdict[tuple[bool, int, bool], list[int]] = defaultdict(list)
    for update in case.facts.updates:
        streams[update.onboarding, update.agent_id, update.outgoing].append(update.number)
    for (onboarding, agent_id, outgoing), numbers in streams.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            direction = "to" if outgoing else "from"
            whose = "onboarding agent" if onboarding else "agent"
            text = f"updates {direction} it are {sorted(numbers)}"
            yield Violation(Rule.STREAM, f"{whose} {agent_id}", text)
