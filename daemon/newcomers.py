"""What somebody who was never here is given at once, in the transaction that makes them known. Pure."""

from typing import Final

import attrs

from ..storage.admission import WorkerFacts
from ..storage.contract import Registration
from ..storage.rows import changed
from .admission import Answers, Reserve, Rules, decide
from .inquiry import facts_of, recorded

WELCOME: Final = Answers(provider_admits=True)


@attrs.frozen
class Newcomers:
    """Chooses for a newcomer whom the provider welcomes, where nobody has to be asked about them.

    It is called in a transaction, on the storage's thread: all that it needs was put together before.
    """

    rules: Rules
    blank: Registration
    """What of it does not depend on who comes."""

    def __call__(self, read: WorkerFacts) -> Registration | None:
        """A unit; or None: it is nothing so simple, and is for `Admitting` to find out."""
        facts = facts_of(read, self.rules, WELCOME)
        decision = decide(facts)
        if not isinstance(decision, Reserve):
            return None
        return changed(
            self.blank,
            worker_id=read.worker.id,
            candidates=decision.candidates,
            expect=facts.relied_on(),
            decision=recorded(self.blank.run_id, read.worker.id, decision, facts),
        )
