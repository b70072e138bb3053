"""Rule (c): per agent, direction and epoch, the stored stream counts 1, 2, 3 without gap or repeat."""

from collections import defaultdict
from collections.abc import Iterator

from .case import Case, Rule, Violation


def check_streams(case: Case) -> Iterator[Violation]:
    """Look for gaps and repeats in what is stored of live updates."""
    streams: defaultdict[tuple[int, bool, int], list[int]] = defaultdict(list)
    for update in case.facts.updates:
        streams[update.agent_id, update.outgoing, update.epoch].append(update.sequence)
    for (agent_id, outgoing, epoch), numbers in streams.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            direction = "to" if outgoing else "from"
            text = f"updates {direction} it in epoch {epoch} are {sorted(numbers)}"
            yield Violation(Rule.STREAM, f"agent {agent_id}", text)
