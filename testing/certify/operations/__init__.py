"""The operations that faults are aimed at: each is prepared, then carried out until answered definitely.

`act` may be called again and again: it asks with the same ids, and whatever it was told must stay true.
"""

from collections.abc import Mapping

from .act import Act, Broken
from .away import SubmitAway
from .live import Speak
from .page import GiveBack, Register, Reserve, Submit, SubmitFiles
from .shutdown import Shutdown
from .staff import LaunchAndStop, Review

__all__ = ["OPERATIONS", "Act", "Broken", "LaunchAndStop", "Shutdown", "Submit", "SubmitAway"]

OPERATIONS: Mapping[str, type[Act]] = {
    act.name: act
    for act in (
        Register,
        Reserve,
        Submit,
        SubmitAway,
        SubmitFiles,
        Speak,
        GiveBack,
        Review,
        LaunchAndStop,
        Shutdown,
    )
}
"""The nine operations of the promises; *submit* in both of its ways."""
