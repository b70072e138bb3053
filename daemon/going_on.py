"""When who goes on with their next unit may be decided from what is read with their link's last agent.

Otherwise it is decided from separate reads: the last agent of the link; once all answers of the worker are
judged, the facts; and what the provider says. One read does as well where it is a state of the store in which
all of that was so: no answer of the run waited to be judged, no onboarding could be under way, and there was
no block in the books of a provider that asks nothing else. Separate reads at that moment find the same.

What changes between this read and the reservation could change behind separate reads, too. `Storage.reserve`
refuses by what it sees in its own transaction: the worker's block (stored before the provider is told of it),
the run, the limits, the grants that the decision relied on, and which units are free. After a refusal of its
all is read separately, and the provider is asked.
"""

import attrs

from ..storage.contract import Bar, LastOfLink
from .admission_tools import Desk
from .provider_calls import bar_of
from .providers.contract import CrowdProvider, Identity


@attrs.frozen
class GoingOn:
    """Somebody's, at one moment. If it is the same after a read as before, the read is enough."""

    after: str
    """The wire id of the agent that they have finished."""
    bar: Bar
    judged: int

    def kept(self, last: LastOfLink | None, now: "GoingOn | None") -> LastOfLink | None:
        """What was read; of the facts nothing, if the read is not enough `now`."""
        if last is None or last.facts is None or now == self:
            return last
        return attrs.evolve(last, facts=None)


def going_on(identity: Identity, provider: CrowdProvider, desk: Desk) -> GoingOn | None:
    """Who goes on, where nobody is onboarded; None: they do not, or more is to be asked or waited for."""
    judged = desk.judged()
    if not identity.after or judged is None:
        return None
    bar = bar_of(provider, identity.worker_name)
    return None if bar is None else GoingOn(identity.after, bar, judged)
