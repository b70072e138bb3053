"""Whose face is familiar at the door of a run. A guess: who came before a restart, or long ago, is not."""

from collections import OrderedDict

FACES_MAX = 4_096  # of one run; a page that is loaded again later costs a transaction that writes nothing


class Faces:
    """The names of those who came last. One per run."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, None] = OrderedDict()

    def familiar(self, name: str) -> bool:
        """Whether they came lately; from now on they did."""
        before = name in self._names
        self._names[name] = None
        self._names.move_to_end(name)
        if len(self._names) > FACES_MAX:
            self._names.popitem(last=False)
        return before
